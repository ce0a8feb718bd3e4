// Qwen3-MoE (arXiv:2505.09388): Qwen3's attention, with norms of queries and keys, and a mixture of small experts.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2048, "num_attention_heads": 32, "num_key_value_heads": 4, "num_hidden_layers": 24,
  "intermediate_size": 6144, "vocab_size": 151936, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6,
  "hidden_act": "silu", "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768,
  "sliding_window": 4096})";

}  // namespace

Blueprint qwen3_moe_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.attention.head_norm = c.norm;
  if (config.bool_or("use_sliding_window", false))
    c.windows = layer_windows(config, c.layers, [](int64_t) { return true; });
  c.mixture = [how = mixture_of(config), sparse = sparse_layers(config, c.layers), mlp = c.mlp](
                  const Scope& s, int64_t layer, Value x) {
    const Scope m = s["mlp"];
    return sparse[static_cast<size_t>(layer)] ? mixture(m, x, how) : gated_mlp(m, x, mlp);
  };
  return decoder_family(config, llama_like("Qwen3Moe", c));
}

}  // namespace braid
