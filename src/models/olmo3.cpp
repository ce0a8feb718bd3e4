// OLMo 3 (Ai2, 2025): OLMo 2 with a sliding window in three layers of four, which the scaling of rotary
// positions leaves alone.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 50304, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "hidden_act": "silu",
  "sliding_window": 4096})";

}  // namespace

Blueprint olmo3_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.layer = post_norm_layer;
  c.rope = config.rope(5e5, "full_attention");
  c.sliding_rope =
      config.has("rope_parameters") ? config.rope(5e5, "sliding_attention") : RopeConfig{.theta = c.rope.theta};
  c.windows = layer_windows(config, c.layers, [](int64_t i) { return (i + 1) % 4 != 0; });
  c.attention.head_norm = {rms_norm_across_heads, c.norm.epsilon};
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  return decoder_family(config, llama_like("Olmo3", c));
}

}  // namespace braid
