// DeepSeek-V2 (arXiv:2405.04434): latent attention; small experts chosen by softmax, perhaps from each token's best
// groups only, beside experts that every token takes.

#include "models/blocks/deepseek_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 102400, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "hidden_act": "silu",
  "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "n_routed_experts": 64,
  "n_shared_experts": 2, "num_experts_per_tok": 6, "moe_intermediate_size": 1407, "topk_method": "greedy"})";

Routing routing_of(const Config& c) {
  const std::string method = c.string_at("topk_method");
  if (method == "greedy") return {.chosen = 1};
  if (method != "group_limited_greedy")
    c.fail("topk_method", "the choice of experts \"" + method + "\" is not supported",
           "there are greedy and group_limited_greedy");
  const int64_t groups = c.size_at("n_group");
  return {.chosen = 1, .groups = groups, .kept_groups = c.int_at("topk_group", {1, groups})};
}

}  // namespace

Blueprint deepseek_v2_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  refuse(config, "mlp_bias");
  const DeepseekMixture mixture(config, routing_of(config), false);
  return decoder_family(config, deepseek_like("DeepseekV2", config, mixture, Pairs::neighbours));
}

}  // namespace braid
