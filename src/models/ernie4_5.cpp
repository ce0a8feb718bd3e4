// ERNIE 4.5 (Baidu, 2025), the dense models: Llama whose rotary positions turn neighbouring elements.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 1024, "num_attention_heads": 16, "num_key_value_heads": 2, "head_dim": 128, "num_hidden_layers": 18,
  "intermediate_size": 3072, "vocab_size": 103424, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5,
  "hidden_act": "silu", "tie_word_embeddings": true})";

}  // namespace

Blueprint ernie4_5_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config, 5e5);
  c.pairs = Pairs::neighbours;
  c.attention.bias = c.attention.output_bias = c.mlp.bias = config.bool_or("use_bias", false);
  return decoder_family(config, llama_like("Ernie4_5", c));
}

}  // namespace braid
