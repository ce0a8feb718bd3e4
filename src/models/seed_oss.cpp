// Seed-OSS (ByteDance, 2025): Llama with biases on queries, keys and values.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 80, "num_key_value_heads": 8, "head_dim": 128, "num_hidden_layers": 64,
  "intermediate_size": 27648, "vocab_size": 155136, "max_position_embeddings": 524288, "rms_norm_eps": 1e-6,
  "hidden_act": "silu"})";

}  // namespace

Blueprint seed_oss_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.attention.bias = config.bool_or("attention_bias", true);
  c.attention.output_bias = config.bool_or("attention_out_bias", false);
  c.mlp.bias = config.bool_or("mlp_bias", false);
  return decoder_family(config, llama_like("SeedOss", c));
}

}  // namespace braid
