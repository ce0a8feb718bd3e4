// Phi-3 and 4 (arXiv:2404.14219): Llama with one tensor for queries, keys and values, one for gate and up, a sliding
// window, and longrope.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 3072, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 8192,
  "vocab_size": 32064, "max_position_embeddings": 4096, "original_max_position_embeddings": 4096,
  "rms_norm_eps": 1e-5, "hidden_act": "silu"})";

Value layer(const Scope& s, const LayerParts& parts, Value x) {  // x: (tokens, width)
  const auto& [c, t, attention, index] = parts;
  const Scope a = s["self_attn"];
  const Value normed = c.norm(s["input_layernorm"], x);
  x = x +
      attend_and_project(a, t, fused_queries_keys_values(a, "qkv_proj", normed, attention.heads, kNoBias), attention);
  return x + fused_gated_mlp(s["mlp"], c.norm(s["post_attention_layernorm"], x), c.mlp);
}

}  // namespace

Blueprint phi3_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.layer = layer;
  c.attention.how.window = config.size_or("sliding_window", 0);
  return decoder_family(config, llama_like("Phi3", c));
}

}  // namespace braid
