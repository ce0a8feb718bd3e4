// Phi-3 and 4 (arXiv:2404.14219): Llama with one tensor for queries, keys and values, one for gate and up, a sliding
// window in every layer, and longrope.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 3072, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 8192,
  "vocab_size": 32064, "max_position_embeddings": 4096, "original_max_position_embeddings": 4096,
  "rms_norm_eps": 1e-5, "hidden_act": "silu"})";

struct Phi3 {
  explicit Phi3(const Config& c)
      : attention{.heads = c.heads_and_dims(), .how = {.window = c.size_or("sliding_window", 0)}},
        mlp{.inner = c.size_at("intermediate_size"), .activation = activation_name(c, "hidden_act")},
        norm{rms_norm, c.real_at("rms_norm_eps")},
        rope(c.rope()),
        layers(c.layers()),
        vocabulary(c.vocabulary()) {
    attention.how.scale = 1 / std::sqrt(attention.heads.head_dim);
  }

  SelfAttention attention;
  Mlp mlp;
  Norm norm;
  RopeConfig rope;
  int64_t layers, vocabulary;
};

Value body(const Scope& s, const Phi3& c, const Step& t, HiddenStates& hidden) {
  const HeadConfig& heads = c.attention.heads;
  const Rotary rotary(t, c.rope, heads.head_dim);
  SelfAttention attention = c.attention;
  attention.rotary = &rotary;
  const Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, heads.hidden);
  const Value y = run_layers(s["layers"], c.layers, x, hidden, [&](const Scope& l, int64_t, Value in) {
    const Scope a = l["self_attn"];
    const auto qkv = fused_queries_keys_values(a, "qkv_proj", c.norm(l["input_layernorm"], in), heads, kNoBias);
    in = in + attend_and_project(a, t, qkv, attention);
    return in + fused_gated_mlp(l["mlp"], c.norm(l["post_attention_layernorm"], in), c.mlp);
  });
  return c.norm(s["norm"], y);
}

}  // namespace

Blueprint phi3_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Phi3 c(config);
  return decoder_family(
      config, {.name = "Phi3",
               .tied = config.bool_or("tie_word_embeddings", false),
               .vocabulary = c.vocabulary,
               .max_positions = config.size_at("max_position_embeddings"),
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); }});
}

}  // namespace braid
