// AFM (Arcee, 2025): Llama with squared ReLU and no gate.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2560, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 18432,
  "vocab_size": 32000, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "hidden_act": "relu2"})";

}  // namespace

Blueprint arcee_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.feed_forward = ungated_mlp;
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.mlp.bias = config.bool_or("mlp_bias", false);
  return decoder_family(config, llama_like("Arcee", c));
}

}  // namespace braid
