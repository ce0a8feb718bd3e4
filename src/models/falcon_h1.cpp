// Falcon-H1 (arXiv:2507.22448): in every layer attention and Mamba-2 side by side, and multipliers (µP) on nearly all
// that flows.

#include <algorithm>
#include <cmath>

#include "models/blocks/decoder.h"
#include "models/blocks/ssm.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32,
  "intermediate_size": 14336, "vocab_size": 128000, "max_position_embeddings": 8192, "rms_norm_eps": 1e-5,
  "hidden_act": "silu", "mamba_d_ssm": 1024, "mamba_n_heads": 128, "mamba_d_head": "auto", "mamba_n_groups": 1,
  "mamba_d_state": 256, "mamba_d_conv": 4, "mamba_expand": 2})";

struct FalconH1 {
  explicit FalconH1(const Config& c)
      : attention{.heads = c.heads_and_dims(),
                  .how = {},
                  .bias = c.bool_or("attention_bias", false),
                  .output_bias = c.bool_or("attention_bias", false)},
        norm{rms_norm, c.real_at("rms_norm_eps")},
        rope(c.rope()),
        mamba(Mamba2::from(c)),
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        inner(c.size_at("intermediate_size")),
        activation(activation_name(c, "hidden_act")),
        mlp_bias(c.bool_or("mlp_bias", false)),
        embedding_scale(c.real_or("embedding_multiplier", 1)),
        attention_in(c.real_or("attention_in_multiplier", 1)),
        attention_out(c.real_or("attention_out_multiplier", 1)),
        ssm_in(c.real_or("ssm_in_multiplier", 1)),
        ssm_out(c.real_or("ssm_out_multiplier", 1)) {
    // Rotation is linear: a multiplier of the keys is one of the scores.
    attention.how.scale = c.real_or("key_multiplier", 1) / std::sqrt(attention.heads.head_dim);
    mamba.norm_groups = c.bool_or("mamba_rms_norm", false) ? mamba.groups : 0;
    mamba.norm_before_gate = c.bool_or("mamba_norm_before_gate", true);
    mamba.output_bias = c.bool_or("projectors_bias", false);
    read(c, "ssm_multipliers", mamba.multipliers);
    read(c, "mlp_multipliers", mlp_scales);
  }

  template <size_t N>
  static void read(const Config& c, std::string_view key, std::array<double, N>& numbers) {
    const auto list = c.find(key);
    if (!list) return;
    if (!list->is_array() || list->size() != N) c.fail(key, "expected " + std::to_string(N) + " numbers");
    for (size_t i = 0; i < N; ++i) numbers[i] = (*list)[i].as_double();
  }

  SelfAttention attention;
  Norm norm;
  RopeConfig rope;
  Mamba2 mamba;
  int64_t layers, vocabulary, inner;
  std::string activation;
  bool mlp_bias;
  double embedding_scale, attention_in, attention_out, ssm_in, ssm_out;
  std::array<double, 2> mlp_scales{1, 1};  // of the gate, of the result
};

Value layer(const Scope& s, const FalconH1& c, Value x, const Step& t, const Rotary& rotary) {  // x: (tokens, width)
  const Value in = c.norm(s["input_layernorm"], x);
  SelfAttention attention = c.attention;
  attention.rotary = &rotary;
  const Value attended = self_attention_block(s["self_attn"], t, in * c.attention_in, attention);
  x = x + mamba2(s["mamba"], t, in * c.ssm_in, c.mamba) * c.ssm_out + attended * c.attention_out;

  const Scope m = s["feed_forward"];
  const auto [gate, up] =
      m.project({{"gate_proj", c.inner}, {"up_proj", c.inner}}, c.norm(s["pre_ff_layernorm"], x), c.mlp_bias);
  const Value inner = up * activation(c.activation, gate * c.mlp_scales[0]);
  return x + m.project("down_proj", inner, x.dim(1).number(), c.mlp_bias) * c.mlp_scales[1];
}

}  // namespace

Blueprint falcon_h1_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const FalconH1 c(config);
  const auto body = [c](const Scope& s, const Step& t, HiddenStates& hidden) {
    const Rotary rotary(t, c.rope, c.attention.heads.head_dim);
    const Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.mamba.width) * c.embedding_scale;
    const auto one = [&](const Scope& l, int64_t, Value in) { return layer(l, c, in, t, rotary); };
    return c.norm(s["final_layernorm"], run_layers(s["layers"], c.layers, x, hidden, one));
  };
  return decoder_family(config, {.name = "FalconH1",
                                 .tied = config.bool_or("tie_word_embeddings", false),
                                 .vocabulary = c.vocabulary,
                                 .max_positions = config.size_at("max_position_embeddings"),
                                 .body = body,
                                 .logit_scale = config.real_or("lm_head_multiplier", 1)});
}

}  // namespace braid
