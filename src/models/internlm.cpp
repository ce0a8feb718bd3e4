// InternLM (Shanghai AI Laboratory, 2023): Llama with biases in attention.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 103168, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "hidden_act": "silu"})";

}  // namespace

Blueprint internlm_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.attention.bias = c.attention.output_bias = config.bool_or("bias", true);
  return decoder_family(config, llama_like("InternLM", c));
}

}  // namespace braid
