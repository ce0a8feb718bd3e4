// Qwen3 (arXiv:2505.09388): Llama with a norm on each head's queries and keys, and perhaps a sliding window in the
// upper layers.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 32, "head_dim": 128,
  "num_hidden_layers": 32, "intermediate_size": 22016, "vocab_size": 151936, "max_position_embeddings": 32768,
  "rms_norm_eps": 1e-6, "hidden_act": "silu", "max_window_layers": 28, "sliding_window": 4096})";

}  // namespace

Blueprint qwen3_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.attention.head_norm = c.norm;
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  if (config.bool_or("use_sliding_window", false)) {
    const int64_t full = config.int_at("max_window_layers", {0, c.layers});  // so many layers, from below, see all
    c.windows = layer_windows(config, c.layers, [&](int64_t i) { return i >= full; });
  }
  return decoder_family(config, llama_like("Qwen3", c));
}

}  // namespace braid
