// EXAONE 4 (arXiv:2507.11407): norms after each block instead of before, norms on each head's queries and keys; three
// layers of four have a sliding window, the others no positions.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 32, "num_hidden_layers": 32,
  "intermediate_size": 16384, "vocab_size": 102400, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5,
  "hidden_act": "silu"})";

/// The pattern is a count, of which the last layer sees all, or letters, one per layer: L for a window, G for none.
std::vector<int64_t> windows_of(const Config& c, int64_t layers) {
  const auto pattern = c.find("sliding_window_pattern");
  std::string letters = pattern && pattern->is_string() ? std::string(pattern->as_string()) : "";
  if (letters.empty())
    letters = std::string(static_cast<size_t>(c.size_or("sliding_window_pattern", 4) - 1), 'L') + "G";
  return layer_windows(c, layers, [&](int64_t i) { return letters[static_cast<size_t>(i) % letters.size()] == 'L'; });
}

}  // namespace

Blueprint exaone4_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.layer = post_norm_layer;
  c.attention.head_norm = c.norm;
  if (config.has("sliding_window")) {  // null: all layers see all, with positions
    c.windows = windows_of(config, c.layers);
    for (const int64_t window : c.windows) c.rotated.push_back(window > 0);
  }
  return decoder_family(config, llama_like("Exaone4", c));
}

}  // namespace braid
