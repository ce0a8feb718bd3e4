// GPT-NeoX (arXiv:2204.06745), also Pythia: attention and MLP in parallel, each on a LayerNorm of its own; one tensor
// for each head's query, key and value; a quarter of each head rotated.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 6144, "num_attention_heads": 64, "num_hidden_layers": 44, "intermediate_size": 24576,
  "vocab_size": 50432, "max_position_embeddings": 2048, "layer_norm_eps": 1e-5, "hidden_act": "gelu",
  "rotary_pct": 0.25, "rotary_emb_base": 1e4})";

/// rotary_pct and rotary_emb_base are the older names of what rope_parameters holds.
RopeConfig rope_of(const Config& c) {
  RopeConfig rope = c.rope(c.real_at("rotary_emb_base"));
  if (!c.has("rope_parameters") && !c.has("partial_rotary_factor"))
    rope.partial_rotary_factor = c.real_at("rotary_pct");
  return rope;
}

struct GptNeox {
  explicit GptNeox(const Config& c)
      : heads(c.heads_and_dims()),
        bias(c.bool_or("attention_bias", true)),
        parallel(c.bool_or("use_parallel_residual", true)),
        mlp{.inner = c.size_at("intermediate_size"), .activation = activation_name(c, "hidden_act"), .bias = true},
        norm{layer_norm, c.real_at("layer_norm_eps")},
        rope(rope_of(c)),
        layers(c.layers()),
        vocabulary(c.vocabulary()) {}

  HeadConfig heads;
  bool bias, parallel;
  Mlp mlp;
  Norm norm;
  RopeConfig rope;
  int64_t layers, vocabulary;
};

Value layer(const Scope& s, const GptNeox& c, Value x, const Step& t, const SelfAttention& attention) {
  const Scope a = s["attention"];
  const Value normed = c.norm(s["input_layernorm"], x);
  const Value y = x + attend_and_project(
                          a, t, grouped_queries_keys_values(a, "query_key_value", normed, c.heads, c.bias), attention);
  const Value z = c.norm(s["post_attention_layernorm"], c.parallel ? x : y);
  return y + plain_mlp(s["mlp"], z, c.mlp, "dense_h_to_4h", "dense_4h_to_h");
}

Value body(const Scope& s, const GptNeox& c, const Step& t, HiddenStates& hidden) {
  const Rotary rotary(t, c.rope, c.heads.head_dim);
  const SelfAttention attention{.heads = c.heads,
                                .how = {.scale = 1 / std::sqrt(c.heads.head_dim)},
                                .rotary = &rotary,
                                .output_bias = c.bias,
                                .output = "dense"};
  const Value x = embedding(s["embed_in"], t.token_ids(), c.vocabulary, c.heads.hidden);
  const Value y = run_layers(s["layers"], c.layers, x, hidden,
                             [&](const Scope& l, int64_t, Value in) { return layer(l, c, in, t, attention); });
  return c.norm(s["final_layer_norm"], y);
}

}  // namespace

Blueprint gpt_neox_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const GptNeox c(config);
  return decoder_family(
      config, {.name = "GPTNeoX",
               .model = "gpt_neox",
               .embeddings = "embed_in",
               .head = "embed_out",
               .tied = config.bool_or("tie_word_embeddings", false),
               .vocabulary = c.vocabulary,
               .max_positions = config.size_at("max_position_embeddings"),
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); },
               .stale = {"*.attention.bias", "*.attention.masked_bias"}});  // causal masks of old files
}

}  // namespace braid
