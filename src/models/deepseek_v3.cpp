// DeepSeek-V3 and R1 (arXiv:2412.19437): V2 with sigmoid routing, whose choice is balanced by a bias instead of a loss.

#include "models/blocks/deepseek_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 7168, "num_attention_heads": 128, "num_hidden_layers": 61, "intermediate_size": 18432,
  "vocab_size": 129280, "max_position_embeddings": 4096, "rms_norm_eps": 1e-6, "hidden_act": "silu",
  "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "n_routed_experts": 256,
  "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 2048, "n_group": 8, "topk_group": 4,
  "first_k_dense_replace": 3, "routed_scaling_factor": 2.5})";

}  // namespace

Blueprint deepseek_v3_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const DeepseekMixture mixture(config, grouped_sigmoid_routing(config), true);
  const Pairs pairs = config.bool_or("rope_interleave", true) ? Pairs::neighbours : Pairs::halves;
  return decoder_family(config, deepseek_like("DeepseekV3", config, mixture, pairs));
}

}  // namespace braid
