// Bamba (IBM, 2024): Mamba-2 layers, some attention among them, half of each head rotated; a gated MLP in every layer.

#include <algorithm>
#include <cmath>
#include <optional>

#include "models/blocks/decoder.h"
#include "models/blocks/ssm.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32,
  "intermediate_size": 14336, "vocab_size": 128000, "max_position_embeddings": 262144, "rms_norm_eps": 1e-5,
  "hidden_act": "silu", "partial_rotary_factor": 0.5, "mamba_n_heads": 128, "mamba_d_head": "auto",
  "mamba_n_groups": 1, "mamba_d_state": 256, "mamba_d_conv": 4, "mamba_expand": 2})";

struct Bamba {
  explicit Bamba(const Config& c)
      : attention{.heads = c.heads_and_dims(),
                  .how = {},
                  .bias = c.bool_or("attention_bias", false),
                  .output_bias = c.bool_or("attention_bias", false)},
        norm{rms_norm, c.real_at("rms_norm_eps")},
        rope(c.rope()),
        mamba(Mamba2::from(c)),
        mlp{.inner = c.size_at("intermediate_size"),
            .activation = activation_name(c, "hidden_act"),
            .bias = c.bool_or("mlp_bias", false)},
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        attends(static_cast<size_t>(layers)) {
    attention.how.scale = 1 / std::sqrt(attention.heads.head_dim);
    mamba.norm_groups = mamba.groups;
    for (const int64_t i : c.ints_or("attn_layer_indices", {}, {0, layers - 1})) attends[static_cast<size_t>(i)] = true;
  }

  SelfAttention attention;
  Norm norm;
  RopeConfig rope;
  Mamba2 mamba;
  Mlp mlp;
  int64_t layers, vocabulary;
  std::vector<bool> attends;
};

}  // namespace

Blueprint bamba_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Bamba c(config);
  const auto body = [c](const Scope& s, const Step& t, HiddenStates& hidden) {
    SelfAttention attention = c.attention;
    std::optional<Rotary> rotary;
    if (std::ranges::find(c.attends, true) != c.attends.end())
      attention.rotary = &rotary.emplace(t, c.rope, c.attention.heads.head_dim);
    const auto layer = [&](const Scope& l, int64_t i, Value x) {  // x: (tokens, width)
      const Value in = c.norm(l["input_layernorm"], x);
      x = x + (c.attends[static_cast<size_t>(i)] ? self_attention_block(l["self_attn"], t, in, attention)
                                                 : mamba2(l["mamba"], t, in, c.mamba));
      return x + gated_mlp(l["feed_forward"], c.norm(l["pre_ff_layernorm"], x), c.mlp);
    };
    const Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.mamba.width);
    return c.norm(s["final_layernorm"], run_layers(s["layers"], c.layers, x, hidden, layer));
  };
  return decoder_family(config, {.name = "Bamba",
                                 .tied = config.bool_or("tie_word_embeddings", false),
                                 .vocabulary = c.vocabulary,
                                 .max_positions = config.size_at("max_position_embeddings"),
                                 .body = body});
}

}  // namespace braid
