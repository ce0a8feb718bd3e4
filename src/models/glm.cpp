// GLM-4 of 2024 (arXiv:2406.12793): Llama with biases on queries, keys and values, one tensor for gate and up, and half
// of each head rotated, in neighbouring pairs.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 128, "num_hidden_layers": 40,
  "intermediate_size": 13696, "vocab_size": 151552, "max_position_embeddings": 131072, "rms_norm_eps": 1.5625e-7,
  "hidden_act": "silu", "partial_rotary_factor": 0.5, "attention_bias": true})";

}  // namespace

Blueprint glm_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.pairs = Pairs::neighbours;
  c.attention.bias = config.bool_or("attention_bias", true);
  c.feed_forward = fused_gated_mlp;
  return decoder_family(config, llama_like("Glm", c));
}

}  // namespace braid
