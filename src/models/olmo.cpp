// OLMo (arXiv:2402.00838): Llama with LayerNorms that have no tensors, and perhaps a bound on queries, keys and values.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 50304, "max_position_embeddings": 2048, "hidden_act": "silu"})";
constexpr double kEpsilon = 1e-5;  // no config says it

}  // namespace

Blueprint olmo_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.norm = {layer_norm_without_weight, kEpsilon};
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.attention.bound = config.real_or("clip_qkv", 0);
  return decoder_family(config, llama_like("Olmo", c));
}

}  // namespace braid
