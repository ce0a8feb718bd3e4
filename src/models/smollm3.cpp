// SmolLM3 (Hugging Face, 2025): Llama in which every fourth layer has no positions (NoPE, arXiv:2501.18795).

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2048, "num_attention_heads": 16, "num_key_value_heads": 4, "num_hidden_layers": 36,
  "intermediate_size": 11008, "vocab_size": 128256, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6,
  "hidden_act": "silu", "no_rope_layer_interval": 4, "tie_word_embeddings": true})";

}  // namespace

Blueprint smollm3_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config, 2e6);
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.mlp.bias = config.bool_or("mlp_bias", false);
  const int64_t interval = config.size_at("no_rope_layer_interval");
  std::vector<int64_t> rotated;
  for (int64_t i = 0; i < c.layers; ++i) rotated.push_back((i + 1) % interval != 0 ? 1 : 0);
  rotated = config.ints_or("no_rope_layers", rotated, {0, 1});  // 1: the layer has positions, whatever the name says
  if (static_cast<int64_t>(rotated.size()) != c.layers)
    config.fail("no_rope_layers",
                "the list must have an entry for each of the " + std::to_string(c.layers) + " layers");
  c.rotated.assign(rotated.begin(), rotated.end());
  if (config.bool_or("use_sliding_window", false))
    c.windows = layer_windows(config, c.layers, [&](int64_t i) { return rotated[static_cast<size_t>(i)] == 0; });
  return decoder_family(config, llama_like("SmolLM3", c));
}

}  // namespace braid
