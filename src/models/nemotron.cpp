// Nemotron-4 and Minitron (arXiv:2402.16819): LayerNorms of 1 + weight, squared ReLU without a gate, half of each head
// rotated.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 6144, "num_attention_heads": 48, "head_dim": 128, "num_hidden_layers": 32,
  "intermediate_size": 24576, "vocab_size": 256000, "max_position_embeddings": 4096, "norm_eps": 1e-5,
  "hidden_act": "relu2", "partial_rotary_factor": 0.5})";

}  // namespace

Blueprint nemotron_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.norm = {offset_layer_norm, config.real_at("norm_eps")};
  c.feed_forward = ungated_mlp;
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.mlp.bias = config.bool_or("mlp_bias", false);
  return decoder_family(config, llama_like("Nemotron", c));
}

}  // namespace braid
