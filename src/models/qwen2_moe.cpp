// Qwen1.5-MoE and Qwen2-MoE (arXiv:2407.10671): Qwen2's attention; a mixture of small experts beside one that every
// token takes through a gate of its own.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2048, "num_attention_heads": 16, "num_key_value_heads": 16, "num_hidden_layers": 24,
  "intermediate_size": 5632, "vocab_size": 151936, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6,
  "hidden_act": "silu", "num_experts": 60, "num_experts_per_tok": 4, "moe_intermediate_size": 1408,
  "shared_expert_intermediate_size": 5632, "max_window_layers": 28, "sliding_window": 4096})";

}  // namespace

Blueprint qwen2_moe_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.attention.bias = config.bool_or("qkv_bias", true);
  if (config.bool_or("use_sliding_window", false)) {
    const int64_t most = config.int_at("max_window_layers", {0, kSizeRange.most});
    c.windows = layer_windows(config, c.layers, [&](int64_t i) { return i % 2 == 0 && i < most; });
  }
  const Mlp shared{.inner = config.size_at("shared_expert_intermediate_size"), .activation = c.mlp.activation};
  c.mixture = [how = mixture_of(config), sparse = sparse_layers(config, c.layers), shared, mlp = c.mlp](
                  const Scope& s, int64_t layer, Value x) {
    const Scope m = s["mlp"];
    if (!sparse[static_cast<size_t>(layer)]) return gated_mlp(m, x, mlp);
    return mixture(m, x, how) + gated_shared_expert(m, x, shared);
  };
  return decoder_family(config, llama_like("Qwen2Moe", c));
}

}  // namespace braid
