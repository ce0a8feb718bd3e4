// InternLM 2 and 2.5 (arXiv:2403.17297): Llama under other names, with one tensor for queries, keys and values that
// goes by key-value head.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 32, "num_hidden_layers": 32,
  "intermediate_size": 11008, "vocab_size": 103168, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6,
  "hidden_act": "silu"})";

Value layer(const Scope& s, const LayerParts& parts, Value x) {  // x: (tokens, width)
  const auto& [c, t, attention, index] = parts;
  const Scope a = s["attention"];
  const Value normed = c.norm(s["attention_norm"], x);
  const auto qkv = grouped_queries_keys_values(a, "wqkv", normed, attention.heads, attention.bias);
  x = x + attend_and_project(a, t, qkv, attention);
  return x + gated_mlp(s["feed_forward"], c.norm(s["ffn_norm"], x), c.mlp);
}

}  // namespace

Blueprint internlm2_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.layer = layer;
  c.attention.output = "wo";
  c.attention.bias = c.attention.output_bias = config.bool_or("bias", false);
  Decoder decoder = llama_like("InternLM2", c);
  decoder.head = "output";
  decoder.renames = {
      {"embed_tokens.", "tok_embeddings."}, {".gate_proj.", ".w1."}, {".up_proj.", ".w3."}, {".down_proj.", ".w2."}};
  return decoder_family(config, decoder);
}

}  // namespace braid
