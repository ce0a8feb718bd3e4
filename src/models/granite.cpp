// Granite 3 (IBM, 2024): Llama with factors on embeddings, scores, residuals and logits, as in maximal update
// parametrisation (arXiv:2203.03466).

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "hidden_act": "silu",
  "embedding_multiplier": 1, "attention_multiplier": 1, "residual_multiplier": 1, "logits_scaling": 1})";

}  // namespace

Blueprint granite_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.mlp.bias = config.bool_or("mlp_bias", false);
  c.attention.how.scale = config.real_at("attention_multiplier");
  c.embedding_scale = config.real_at("embedding_multiplier");
  c.residual_scale = config.real_at("residual_multiplier");
  Decoder decoder = llama_like("Granite", c);
  decoder.logit_scale = 1 / config.real_at("logits_scaling");
  return decoder_family(config, decoder);
}

}  // namespace braid
