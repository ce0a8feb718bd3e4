// GLM-4.5 and 4.6 (arXiv:2508.06471): Llama's attention with half of each head rotated, DeepSeek-V3's mixture.

#include "models/blocks/deepseek_like.h"
#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 96, "num_key_value_heads": 8, "head_dim": 128, "num_hidden_layers": 46,
  "intermediate_size": 10944, "vocab_size": 151552, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5,
  "hidden_act": "silu", "partial_rotary_factor": 0.5, "moe_intermediate_size": 1408, "num_experts_per_tok": 8,
  "n_shared_experts": 1, "n_routed_experts": 128, "first_k_dense_replace": 1})";

}  // namespace

Blueprint glm4_moe_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.attention.bias = config.bool_or("attention_bias", false);
  if (config.bool_or("use_qk_norm", false)) c.attention.head_norm = c.norm;
  c.mixture = [mixture = DeepseekMixture(config, grouped_sigmoid_routing(config), true)](
                  const Scope& s, int64_t layer, Value x) { return mixture(s["mlp"], layer, x); };
  Decoder decoder = llama_like("Glm4Moe", c);
  decoder.stale = prediction_layers(config, "model.layers");
  return decoder_family(config, decoder);
}

}  // namespace braid
