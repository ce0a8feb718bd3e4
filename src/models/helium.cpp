// Helium (Kyutai, 2025): Llama whose rotary positions turn neighbouring elements.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2560, "num_attention_heads": 20, "num_key_value_heads": 20, "head_dim": 128, "num_hidden_layers": 24,
  "intermediate_size": 7040, "vocab_size": 48000, "max_position_embeddings": 4096, "rms_norm_eps": 1e-8,
  "hidden_act": "silu"})";

}  // namespace

Blueprint helium_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config, 1e5);
  c.pairs = Pairs::neighbours;
  c.attention.bias = config.bool_or("attention_bias", false);
  c.mlp.bias = config.bool_or("mlp_bias", false);
  return decoder_family(config, llama_like("Helium", c));
}

}  // namespace braid
