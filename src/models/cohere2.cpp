// Command R7B and A (arXiv:2504.00698): Command R with a sliding window in three layers of four, and no positions in
// the others.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 8192, "num_attention_heads": 64, "head_dim": 128, "num_hidden_layers": 40,
  "intermediate_size": 22528, "vocab_size": 256000, "max_position_embeddings": 8192, "layer_norm_eps": 1e-5,
  "hidden_act": "silu", "logit_scale": 0.0625, "sliding_window": 4096, "sliding_window_pattern": 4,
  "tie_word_embeddings": true})";

}  // namespace

Blueprint cohere2_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.layer = parallel_layer;
  c.norm = {layer_norm_without_bias, config.real_at("layer_norm_eps")};
  c.pairs = Pairs::neighbours;
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  const int64_t pattern = config.size_at("sliding_window_pattern");
  c.windows = layer_windows(config, c.layers, [&](int64_t i) { return (i + 1) % pattern != 0; });
  for (const int64_t window : c.windows) c.rotated.push_back(window > 0);
  Decoder decoder = llama_like("Cohere2", c);
  decoder.logit_scale = config.real_at("logit_scale");
  return decoder_family(config, decoder);
}

}  // namespace braid
