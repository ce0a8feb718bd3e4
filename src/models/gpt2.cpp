// GPT-2 (Radford et al., 2019): learned positions, LayerNorm before each block, one product for queries, keys and
// values. Its linear layers are stored as transformers' Conv1D, (inputs, outputs): transposed here, once, at load.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "vocab_size": 50257, "layer_norm_epsilon": 1e-5,
  "activation_function": "gelu_new"})";

struct Gpt2 {
  explicit Gpt2(const Config& c)
      : heads(c.heads_and_dims({.hidden = "n_embd", .heads = "n_head"})),
        layers(c.layers("n_layer")),
        vocabulary(c.vocabulary()),
        positions(c.size_at("n_positions")),
        inner(c.size_or("n_inner", 4 * heads.hidden)),
        epsilon(c.real_at("layer_norm_epsilon")),
        activation(activation_name(c, "activation_function")),
        scaled(c.bool_or("scale_attn_weights", true)),
        scaled_by_layer(c.bool_or("scale_attn_by_inverse_layer_idx", false)),
        tied(c.bool_or("tie_word_embeddings", true)) {}

  HeadConfig heads;
  int64_t layers, vocabulary, positions, inner;
  double epsilon;
  std::string activation;
  bool scaled, scaled_by_layer, tied;
};

/// x (tokens, K) through the Conv1D at `s` → (tokens, size).
Value conv1d(const Scope& s, Value x, int64_t size) {
  const Within here(s);
  const Value weight = s.transposed_weight({size, x.dim(-1)});
  return linear(x, weight, s.floats("bias", {size}));
}

Value layer(const Scope& s, const Gpt2& c, Value x, const Step& t, int64_t index) {  // x: (tokens, width)
  const Scope a = s["attn"], m = s["mlp"];
  const int64_t width = c.heads.hidden;

  const Value qkv = conv1d(a["c_attn"], layer_norm(s["ln_1"], x, c.epsilon), 3 * width);
  const auto part = [&](int64_t i) {
    return split_heads(slice(qkv, -1, i * width, (i + 1) * width), c.heads.head_dim);
  };
  double scale = c.scaled ? 1 / std::sqrt(c.heads.head_dim) : 1.0;
  if (c.scaled_by_layer) scale /= static_cast<double>(index + 1);
  x = x + conv1d(a["c_proj"], self_attention(a, t, part(0), part(1), part(2), {.scale = scale}), width);

  const Value inner = activation(c.activation, conv1d(m["c_fc"], layer_norm(s["ln_2"], x, c.epsilon), c.inner));
  return x + conv1d(m["c_proj"], inner, width);
}

Value body(const Scope& s, const Gpt2& c, const Step& t, HiddenStates& hidden) {
  const Value x = embedding(s["wte"], t.token_ids(), c.vocabulary, c.heads.hidden) +
                  embedding(s["wpe"], t.positions(), c.positions, c.heads.hidden);
  const Value y = run_layers(s["h"], c.layers, x, hidden,
                             [&](const Scope& l, int64_t i, Value in) { return layer(l, c, in, t, i); });
  return layer_norm(s["ln_f"], y, c.epsilon);
}

}  // namespace

Blueprint gpt2_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Gpt2 c(config);
  return decoder_family(
      config, {.name = "GPT2",
               .causal = "GPT2LMHeadModel",
               .model = "transformer",
               .embeddings = "wte",
               .tied = c.tied,
               .vocabulary = c.vocabulary,
               .max_positions = c.positions,
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); },
               .stale = {"*.attn.bias", "*.attn.masked_bias"}});  // causal masks of old files
}

}  // namespace braid
