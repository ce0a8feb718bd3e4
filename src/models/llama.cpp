// Llama (arXiv:2302.13971, 2307.09288, 2407.21783): grouped-query attention with rotary positions, SwiGLU, RMSNorm
// before each block.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "hidden_act": "silu"})";

}  // namespace

Blueprint llama_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.mlp.bias = config.bool_or("mlp_bias", false);
  return decoder_family(config, llama_like("Llama", c));
}

}  // namespace braid
