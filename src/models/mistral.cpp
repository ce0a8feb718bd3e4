// Mistral (arXiv:2310.06825): Llama with a sliding window in every layer.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32,
  "intermediate_size": 14336, "vocab_size": 32000, "max_position_embeddings": 131072, "rms_norm_eps": 1e-6,
  "hidden_act": "silu"})";
constexpr int64_t kWindow = 4096;  // where the config does not say; null means none

}  // namespace

Blueprint mistral_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  const bool named = config.json().find("sliding_window").has_value();
  c.attention.how.window = config.has("sliding_window") ? config.size_at("sliding_window") : named ? 0 : kWindow;
  return decoder_family(config, llama_like("Mistral", c));
}

}  // namespace braid
