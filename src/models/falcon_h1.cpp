// Falcon-H1 (arXiv:2507.22448): in every layer attention and Mamba-2 side by side, and multipliers (µP) on nearly all
// that flows.

#include "models/blocks/hybrid.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32,
  "intermediate_size": 14336, "vocab_size": 128000, "max_position_embeddings": 8192, "rms_norm_eps": 1e-5,
  "hidden_act": "silu", "mamba_d_ssm": 1024, "mamba_n_heads": 128, "mamba_d_head": "auto", "mamba_n_groups": 1,
  "mamba_d_state": 256, "mamba_d_conv": 4, "mamba_expand": 2})";

template <size_t N>
std::array<double, N> multipliers(const Config& c, std::string_view key) {
  std::array<double, N> numbers;
  numbers.fill(1);
  const auto list = c.find(key);
  if (!list) return numbers;
  if (!list->is_array() || list->size() != N) c.fail(key, "expected " + std::to_string(N) + " numbers");
  for (size_t i = 0; i < N; ++i) numbers[i] = (*list)[i].as_double();
  return numbers;
}

struct Scales {
  explicit Scales(const Config& c)
      : attention_in(c.real_or("attention_in_multiplier", 1)),
        attention_out(c.real_or("attention_out_multiplier", 1)),
        ssm_in(c.real_or("ssm_in_multiplier", 1)),
        ssm_out(c.real_or("ssm_out_multiplier", 1)),
        mlp(multipliers<2>(c, "mlp_multipliers")) {}
  double attention_in, attention_out, ssm_in, ssm_out;
  std::array<double, 2> mlp;  // of the gate, of the result
};

/// s.down_proj(s.up_proj(x) · activation(s.gate_proj(x) · scales[0])) · scales[1]: x (tokens, width) → the same.
Value scaled_mlp(const Scope& s, Value x, const Mlp& c, const std::array<double, 2>& scales) {
  const auto [gate, up] = s.project({{"gate_proj", c.inner}, {"up_proj", c.inner}}, x, c.bias);
  const Value inner = up * activation(c.activation, gate * scales[0]);
  return s.project("down_proj", inner, x.dim(1).number(), c.bias) * scales[1];
}

}  // namespace

Blueprint falcon_h1_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  Hybrid c(config);
  c.embedding_scale = config.real_or("embedding_multiplier", 1);
  // Rotation is linear: a multiplier of the keys is one of the scores.
  c.attention.how.scale *= config.real_or("key_multiplier", 1);
  if (!config.bool_or("mamba_rms_norm", false)) c.mamba.norm_groups = 0;
  c.mamba.norm_before_gate = config.bool_or("mamba_norm_before_gate", true);
  c.mamba.output_bias = config.bool_or("projectors_bias", false);
  c.mamba.multipliers = multipliers<5>(config, "ssm_multipliers");
  c.layer = [by = Scales(config), norm = c.norm, mamba = c.mamba, mlp = c.mlp](
                const Scope& s, const Step& t, const SelfAttention& attention, int64_t, Value x) {
    const Value in = norm(s["input_layernorm"], x);
    const Value attended = self_attention_block(s["self_attn"], t, in * by.attention_in, attention);
    x = x + mamba2(s["mamba"], t, in * by.ssm_in, mamba) * by.ssm_out + attended * by.attention_out;
    return x + scaled_mlp(s["feed_forward"], norm(s["pre_ff_layernorm"], x), mlp, by.mlp);
  };
  Decoder decoder = hybrid("FalconH1", c);
  decoder.logit_scale = config.real_or("lm_head_multiplier", 1);
  return decoder_family(config, decoder);
}

}  // namespace braid
