// StarCoder and SantaCoder (arXiv:2301.03988, 2305.06161): GPT-2 with one key-value head and ordinary linear layers.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "vocab_size": 50257, "layer_norm_epsilon": 1e-5,
  "activation_function": "gelu_pytorch_tanh"})";

struct GptBigCode {
  explicit GptBigCode(const Config& c)
      : heads(c.heads_and_dims({.hidden = "n_embd", .heads = "n_head", .kv_heads = "n_head"})),
        one_key_head(c.bool_or("multi_query", true)),
        mlp{.inner = c.size_or("n_inner", 4 * heads.hidden),
            .activation = activation_name(c, "activation_function"),
            .bias = true},
        norm{layer_norm, c.real_at("layer_norm_epsilon")},
        scale(c.bool_or("scale_attn_weights", true) ? 1 / std::sqrt(heads.head_dim) : 1),
        layers(c.layers("n_layer")),
        vocabulary(c.vocabulary()),
        positions(c.size_at("n_positions")) {
    refuse(c, "add_cross_attention");
    if (one_key_head) heads.kv_heads = 1;
  }

  HeadConfig heads;
  bool one_key_head;
  Mlp mlp;
  Norm norm;
  double scale;
  int64_t layers, vocabulary, positions;
};

Value body(const Scope& s, const GptBigCode& c, const Step& t, HiddenStates& hidden) {
  const SelfAttention attention{.heads = c.heads, .how = {.scale = c.scale}, .output_bias = true, .output = "c_proj"};
  const auto queries_keys_values = c.one_key_head ? fused_queries_keys_values : grouped_queries_keys_values;
  const Value x = embedding(s["wte"], t.token_ids(), c.vocabulary, c.heads.hidden) +
                  embedding(s["wpe"], t.positions(), c.positions, c.heads.hidden);
  const Value y = run_layers(s["h"], c.layers, x, hidden, [&](const Scope& l, int64_t, Value in) {
    const Scope a = l["attn"];
    const auto qkv = queries_keys_values(a, "c_attn", c.norm(l["ln_1"], in), c.heads, kBias);
    in = in + attend_and_project(a, t, qkv, attention);
    return in + plain_mlp(l["mlp"], c.norm(l["ln_2"], in), c.mlp, "c_fc", "c_proj");
  });
  return c.norm(s["ln_f"], y);
}

}  // namespace

Blueprint gpt_bigcode_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const GptBigCode c(config);
  return decoder_family(
      config, {.name = "GPTBigCode",
               .model = "transformer",
               .embeddings = "wte",
               .tied = config.bool_or("tie_word_embeddings", true),
               .vocabulary = c.vocabulary,
               .max_positions = c.positions,
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); },
               .stale = {"*.attn.bias", "*.attn.masked_bias"}});  // causal masks of old files
}

}  // namespace braid
