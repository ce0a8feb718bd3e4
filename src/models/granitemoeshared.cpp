// Granite 3 MoE with a shared expert (IBM, 2024).

#include "models/blocks/granite.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "hidden_act": "silu",
  "num_local_experts": 8, "num_experts_per_tok": 2})";

}  // namespace

Blueprint granitemoeshared_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c = granite_like(config);
  c.mixture = [feed_forward = GraniteMixture(config)](const Scope& s, int64_t, Value x) { return feed_forward(s, x); };
  return decoder_family(config, granite_decoder("GraniteMoeShared", config, c));
}

}  // namespace braid
