// GPT-2 (Radford et al., 2019): learned positions, LayerNorm before each block, one product for queries, keys and
// values. Its linear layers are stored as transformers' Conv1D, (inputs, outputs): transposed here, once, at load.

#include <cmath>

#include "models/blocks/gpt_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "vocab_size": 50257, "layer_norm_epsilon": 1e-5,
  "activation_function": "gelu_new"})";

/// x (tokens, K) through the Conv1D at `s` → (tokens, size).
Value conv1d(const Scope& s, Value x, int64_t size) {
  const Within here(s);
  const Value weight = s.transposed_weight({size, x.dim(-1)});
  return linear(x, weight, s.floats("bias", {size}));
}

}  // namespace

Blueprint gpt2_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const HeadConfig heads = config.heads_and_dims({.hidden = "n_embd", .heads = "n_head"});
  const int64_t width = heads.hidden, inner = config.size_or("n_inner", 4 * width);
  const double scale = config.bool_or("scale_attn_weights", true) ? 1 / std::sqrt(heads.head_dim) : 1.0;
  const bool scaled_by_layer = config.bool_or("scale_attn_by_inverse_layer_idx", false);
  const std::string act = activation_name(config, "activation_function");

  const auto attention = [=](const Scope& s, const Step& t, int64_t index, Value x) {
    const Scope a = s["attn"];
    const Value qkv = conv1d(a["c_attn"], x, 3 * width);
    const auto part = [&](int64_t i) {
      return split_heads(slice(qkv, -1, i * width, (i + 1) * width), heads.head_dim);
    };
    const Attend how{.scale = scaled_by_layer ? scale / static_cast<double>(index + 1) : scale};
    return conv1d(a["c_proj"], self_attention(a, t, part(0), part(1), part(2), how), width);
  };
  const auto mlp = [=](const Scope& s, Value x) {
    const Scope m = s["mlp"];
    return conv1d(m["c_proj"], activation(act, conv1d(m["c_fc"], x, inner)), width);
  };
  Decoder decoder = gpt_like("GPT2", config,
                             {.width = width,
                              .layers = config.layers("n_layer"),
                              .vocabulary = config.vocabulary(),
                              .positions = config.size_at("n_positions"),
                              .norm = {layer_norm, config.real_at("layer_norm_epsilon")},
                              .attention = attention,
                              .mlp = mlp});
  decoder.causal = "GPT2LMHeadModel";
  return decoder_family(config, decoder);
}

}  // namespace braid
