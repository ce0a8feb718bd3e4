// BLOOM (arXiv:2211.05100): ALiBi instead of positions, a LayerNorm on the embeddings, one tensor for each head's
// query, key and value.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 64, "n_head": 8, "n_layer": 2, "vocab_size": 250880, "layer_norm_epsilon": 1e-5})";

struct Bloom {
  explicit Bloom(const Config& c)
      : heads(c.heads_and_dims({.hidden = c.has("n_embed") ? "n_embed" : "hidden_size",
                                .heads = c.has("num_attention_heads") ? "num_attention_heads" : "n_head"})),
        mlp{.inner = 4 * heads.hidden, .activation = "gelu_pytorch_tanh", .bias = true},
        norm{layer_norm, c.real_at("layer_norm_epsilon")},
        normed_residual(c.bool_or("apply_residual_connection_post_layernorm", false)),
        layers(c.layers(c.has("num_hidden_layers") ? "num_hidden_layers" : "n_layer")),
        vocabulary(c.vocabulary()) {}

  HeadConfig heads;
  Mlp mlp;
  Norm norm;
  bool normed_residual;
  int64_t layers, vocabulary;
};

Value layer(const Scope& s, const Bloom& c, Value x, const Step& t, const SelfAttention& attention) {
  const Scope a = s["self_attention"];
  const Value y = c.norm(s["input_layernorm"], x);
  x = (c.normed_residual ? y : x) +
      attend_and_project(a, t, grouped_queries_keys_values(a, "query_key_value", y, c.heads, kBias), attention);
  const Value z = c.norm(s["post_attention_layernorm"], x);
  return (c.normed_residual ? z : x) + plain_mlp(s["mlp"], z, c.mlp, "dense_h_to_4h", "dense_4h_to_h");
}

Value body(const Scope& s, const Bloom& c, const Step& t, HiddenStates& hidden) {
  const SelfAttention attention{
      .heads = c.heads,
      .how = {.scale = 1 / std::sqrt(c.heads.head_dim), .slopes = alibi_slopes(t.builder(), c.heads.heads)},
      .output_bias = true,
      .output = "dense"};
  const Value x = embedding(s["word_embeddings"], t.token_ids(), c.vocabulary, c.heads.hidden);
  const Value y = run_layers(s["h"], c.layers, c.norm(s["word_embeddings_layernorm"], x), hidden,
                             [&](const Scope& l, int64_t, Value in) { return layer(l, c, in, t, attention); });
  return c.norm(s["ln_f"], y);
}

}  // namespace

Blueprint bloom_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Bloom c(config);
  return decoder_family(
      config, {.name = "Bloom",
               .model = "transformer",
               .embeddings = "word_embeddings",
               .tied = config.bool_or("tie_word_embeddings", true),
               .vocabulary = c.vocabulary,
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); }});
}

}  // namespace braid
