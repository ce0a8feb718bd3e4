// Gemma (arXiv:2403.08295): Llama with norms of 1 + weight, GELU, embeddings scaled by √width.

#include <cmath>

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 3072, "num_attention_heads": 16, "num_key_value_heads": 16, "head_dim": 256,
  "num_hidden_layers": 28, "intermediate_size": 24576, "vocab_size": 256000, "max_position_embeddings": 8192,
  "rms_norm_eps": 1e-6, "hidden_act": "gelu_pytorch_tanh", "tie_word_embeddings": true})";

}  // namespace

Blueprint gemma_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  refuse(config, "use_bidirectional_attention");
  LlamaLike c(config);
  c.norm.kind = offset_rms_norm;
  c.embedding_scale = std::sqrt(c.attention.heads.hidden);
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  return decoder_family(config, llama_like("Gemma", c));
}

}  // namespace braid
