// Granite 3 MoE (IBM, 2024): Llama's attention, a mixture of experts in two tensors, and multipliers.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "hidden_act": "silu",
  "num_local_experts": 8, "num_experts_per_tok": 2})";

}  // namespace

Blueprint granitemoe_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.attention.how.scale = config.real_or("attention_multiplier", 1);
  c.embedding_scale = config.real_or("embedding_multiplier", 1);
  c.residual_scale = config.real_or("residual_multiplier", 1);
  Mixture how = mixture_of(config, "intermediate_size");
  how.routing.renormalise = true;
  how.router = "router.layer";
  how.up = "input_linear";
  how.down = "output_linear";
  c.mixture = [how](const Scope& s, int64_t, Value x) { return stacked_mixture(s["block_sparse_moe"], x, how); };
  Decoder decoder = llama_like("GraniteMoe", c);
  decoder.logit_scale = 1 / config.real_or("logits_scaling", 1);
  return decoder_family(config, decoder);
}

}  // namespace braid
