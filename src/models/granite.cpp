// Granite 3 (IBM, 2024): Llama with factors on embeddings, scores, residuals and logits.

#include "models/blocks/granite.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "hidden_act": "silu"})";

}  // namespace

Blueprint granite_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  return decoder_family(config, granite_decoder("Granite", config, granite_like(config)));
}

}  // namespace braid
