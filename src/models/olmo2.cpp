// OLMo 2 (arXiv:2501.00656): Llama with norms after each block instead of before, and on all queries and all keys of a
// token at once.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 50304, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "hidden_act": "silu"})";

}  // namespace

Blueprint olmo2_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.layer = post_norm_layer;
  c.attention.head_norm = {rms_norm_across_heads, c.norm.epsilon};
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  return decoder_family(config, llama_like("Olmo2", c));
}

}  // namespace braid
