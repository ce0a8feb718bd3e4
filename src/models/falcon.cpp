// Falcon (arXiv:2311.16867): one tensor for queries, keys and values, laid out by key-value head; attention and MLP in
// parallel on one norm or, in the new architecture, on two; rotary positions or ALiBi.

#include <cmath>
#include <optional>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4544, "num_attention_heads": 71, "num_hidden_layers": 32, "vocab_size": 65024,
  "max_position_embeddings": 2048, "layer_norm_epsilon": 1e-5, "activation": "gelu", "multi_query": true,
  "parallel_attn": true})";

struct Falcon {
  explicit Falcon(const Config& c)
      : grouped(c.bool_or("new_decoder_architecture", false)),
        parallel(grouped || c.bool_or("parallel_attn", true)),
        two_norms(grouped && c.int_or("num_ln_in_parallel_attn", 2, {1, 2}) == 2),
        alibi(c.bool_or("alibi", false)),
        heads(c.heads_and_dims({.kv_heads = "num_kv_heads"})),
        bias(c.bool_or("bias", false)),
        mlp{.inner = c.size_or("ffn_hidden_size", 4 * heads.hidden),
            .activation = activation_name(c, "activation"),
            .bias = bias},
        norm{layer_norm, c.real_at("layer_norm_epsilon")},
        rope(c.rope()),
        layers(c.layers()),
        vocabulary(c.vocabulary()) {
    if (!grouped) heads.kv_heads = c.bool_or("multi_query", true) ? 1 : heads.heads;
  }

  bool grouped, parallel, two_norms, alibi;
  HeadConfig heads;
  bool bias;
  Mlp mlp;
  Norm norm;
  RopeConfig rope;
  int64_t layers, vocabulary;
};

Value layer(const Scope& s, const Falcon& c, Value x, const Step& t, const SelfAttention& attention) {
  const auto attend_to = [&](Value normed) {
    const Scope a = s["self_attention"];
    return attend_and_project(a, t, grouped_queries_keys_values(a, "query_key_value", normed, c.heads, c.bias),
                              attention);
  };
  const auto mlp = [&](Value normed) { return plain_mlp(s["mlp"], normed, c.mlp, "dense_h_to_4h", "dense_4h_to_h"); };
  const Value normed = c.norm(s[c.two_norms ? "ln_attn" : "input_layernorm"], x);
  if (c.parallel) return x + attend_to(normed) + mlp(c.two_norms ? c.norm(s["ln_mlp"], x) : normed);
  x = x + attend_to(normed);
  return x + mlp(c.norm(s["post_attention_layernorm"], x));
}

Value body(const Scope& s, const Falcon& c, const Step& t, HiddenStates& hidden) {
  SelfAttention attention{
      .heads = c.heads, .how = {.scale = 1 / std::sqrt(c.heads.head_dim)}, .output_bias = c.bias, .output = "dense"};
  std::optional<Rotary> rotary;
  if (c.alibi)  // the biases are scaled as the products are
    attention.how.slopes = alibi_slopes(t.builder(), c.heads.heads, attention.how.scale);
  else
    attention.rotary = &rotary.emplace(t, c.rope, c.heads.head_dim);
  const Value x = embedding(s["word_embeddings"], t.token_ids(), c.vocabulary, c.heads.hidden);
  const Value y = run_layers(s["h"], c.layers, x, hidden,
                             [&](const Scope& l, int64_t, Value in) { return layer(l, c, in, t, attention); });
  return c.norm(s["ln_f"], y);
}

}  // namespace

Blueprint falcon_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Falcon c(config);
  return decoder_family(
      config, {.name = "Falcon",
               .model = "transformer",
               .embeddings = "word_embeddings",
               .tied = config.bool_or("tie_word_embeddings", true),
               .vocabulary = c.vocabulary,
               .max_positions = c.alibi ? 0 : config.size_at("max_position_embeddings"),
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); }});
}

}  // namespace braid
