// MPT (MosaicML, 2023): ALiBi instead of positions, LayerNorm without bias, one tensor for queries, keys and values.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "d_model": 2048, "n_heads": 16, "n_layers": 24, "vocab_size": 50368, "layer_norm_epsilon": 1e-5, "max_seq_len": 2048,
  "attn_config": {}})";

struct Mpt {
  explicit Mpt(const Config& c)
      : attention{.heads = c.heads_and_dims({.hidden = "d_model", .heads = "n_heads"}),
                  .how = {},
                  .output = "out_proj"},
        mlp{.inner = 4 * attention.heads.hidden, .activation = "gelu"},
        norm{layer_norm_without_bias, c.real_at("layer_norm_epsilon")},
        layers(c.layers("n_layers")),
        vocabulary(c.vocabulary()) {
    const Config a = c.section("attn_config");
    if (!a.bool_or("alibi", true)) a.fail("alibi", "without ALiBi, positions would be learned: not supported");
    for (const char* key : {"prefix_lm", "qk_ln"}) refuse(a, key);
    if (c.int_or("expansion_ratio", 4) != 4)
      c.fail("expansion_ratio", "transformers computes with 4, whatever it says");
    bias_max = a.real_or("alibi_bias_max", 8);
    attention.how.scale = a.real_or("softmax_scale", 1 / std::sqrt(attention.heads.head_dim));
    attention.bound = a.real_or("clip_qkv", 0);
  }

  SelfAttention attention;
  Mlp mlp;
  Norm norm;
  int64_t layers, vocabulary;
  double bias_max = 8;
};

Value body(const Scope& s, const Mpt& c, const Step& t, HiddenStates& hidden) {
  SelfAttention attention = c.attention;
  attention.how.slopes = alibi_slopes(t.builder(), attention.heads.heads, 1, c.bias_max);
  const Value x = embedding(s["wte"], t.token_ids(), c.vocabulary, attention.heads.hidden);
  const Value y = run_layers(s["blocks"], c.layers, x, hidden, [&](const Scope& l, int64_t, Value in) {
    const Scope a = l["attn"];
    const auto qkv = fused_queries_keys_values(a, "Wqkv", c.norm(l["norm_1"], in), attention.heads, kNoBias);
    in = in + attend_and_project(a, t, qkv, attention);
    return in + ungated_mlp(l["ffn"], c.norm(l["norm_2"], in), c.mlp);
  });
  return c.norm(s["norm_f"], y);
}

}  // namespace

Blueprint mpt_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Mpt c(config);
  return decoder_family(
      config, {.name = "Mpt",
               .model = "transformer",
               .embeddings = "wte",
               .tied = config.bool_or("tie_word_embeddings", true),
               .vocabulary = c.vocabulary,
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); }});
}

}  // namespace braid
