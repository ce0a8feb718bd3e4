// InternLM 3 (Shanghai AI Laboratory, 2025): Llama with head_dim and biases of its own.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 128512, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "hidden_act": "silu"})";

}  // namespace

Blueprint internlm3_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.attention.bias = config.bool_or("qkv_bias", false);
  c.attention.output_bias = c.mlp.bias = config.bool_or("bias", false);
  return decoder_family(config, llama_like("InternLM3", c));
}

}  // namespace braid
