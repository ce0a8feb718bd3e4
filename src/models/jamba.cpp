// Jamba (arXiv:2403.19887): Mamba layers, some attention without positions among them; in every other layer a mixture
// of experts.

#include <cmath>

#include "models/blocks/decoder.h"
#include "models/blocks/ssm.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32,
  "intermediate_size": 14336, "vocab_size": 65536, "max_position_embeddings": 262144, "rms_norm_eps": 1e-6,
  "hidden_act": "silu", "num_experts": 16, "num_experts_per_tok": 2, "expert_layer_period": 2, "expert_layer_offset": 1,
  "attn_layer_period": 8, "attn_layer_offset": 4, "mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2,
  "mamba_dt_rank": "auto"})";

struct Jamba {
  explicit Jamba(const Config& c)
      : attention{.heads = c.heads_and_dims(), .how = {}},
        mlp{.inner = c.size_at("intermediate_size"), .activation = activation_name(c, "hidden_act")},
        norm{rms_norm, c.real_at("rms_norm_eps")},
        mamba{.width = attention.heads.hidden,
              .inner = c.size_at("mamba_expand") * attention.heads.hidden,
              .state = c.size_at("mamba_d_state"),
              .rank = c.at("mamba_dt_rank").is_string() ? (attention.heads.hidden + 15) / 16  // "auto"
                                                        : c.size_at("mamba_dt_rank"),
              .conv = {.kernel = c.int_at("mamba_d_conv", {2, kSizeRange.most}),
                       .bias = c.bool_or("mamba_conv_bias", true)},
              .activation = mlp.activation,
              .bias = c.bool_or("mamba_proj_bias", false),
              .inner_norms = norm.epsilon},
        experts(mixture_of(c, "intermediate_size")),
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        attention_period(c.size_at("attn_layer_period")),
        attention_offset(c.int_at("attn_layer_offset", {0, attention_period - 1})),
        expert_period(c.size_at("expert_layer_period")),
        expert_offset(c.int_at("expert_layer_offset", {0, expert_period - 1})) {
    experts.router = "router";
    attention.how.scale = 1 / std::sqrt(attention.heads.head_dim);
  }

  SelfAttention attention;
  Mlp mlp;
  Norm norm;
  Mamba1 mamba;
  Mixture experts;
  int64_t layers, vocabulary, attention_period, attention_offset, expert_period, expert_offset;
};

Value layer(const Scope& s, const Jamba& c, int64_t i, Value x, const Step& t) {  // x: (tokens, width)
  const Value in = c.norm(s["input_layernorm"], x);
  x = x + (i % c.attention_period == c.attention_offset ? self_attention_block(s["self_attn"], t, in, c.attention)
                                                        : mamba1(s["mamba"], t, in, c.mamba));
  const Value y = c.norm(s["pre_ff_layernorm"], x);
  const bool sparse = c.experts.experts > 1 && i % c.expert_period == c.expert_offset;
  const Scope m = s["feed_forward"];
  return x + (sparse ? mixture(m, y, c.experts) : gated_mlp(m, y, c.mlp));
}

}  // namespace

Blueprint jamba_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Jamba c(config);
  const auto body = [c](const Scope& s, const Step& t, HiddenStates& hidden) {
    const Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.mamba.width);
    const auto one = [&](const Scope& l, int64_t i, Value in) { return layer(l, c, i, in, t); };
    return c.norm(s["final_layernorm"], run_layers(s["layers"], c.layers, x, hidden, one));
  };
  return decoder_family(config, {.name = "Jamba",
                                 .tied = config.bool_or("tie_word_embeddings", false),
                                 .vocabulary = c.vocabulary,
                                 .max_positions = config.size_at("max_position_embeddings"),
                                 .body = body});
}

}  // namespace braid
