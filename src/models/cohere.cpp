// Command R (Cohere, 2024): attention and MLP in parallel on one LayerNorm without bias; rotary positions in
// neighbouring pairs; scaled logits.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 8192, "num_attention_heads": 64, "num_hidden_layers": 40, "intermediate_size": 22528,
  "vocab_size": 256000, "max_position_embeddings": 8192, "layer_norm_eps": 1e-5, "hidden_act": "silu",
  "logit_scale": 0.0625, "tie_word_embeddings": true})";

}  // namespace

Blueprint cohere_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config, 5e5);
  c.layer = parallel_layer;
  c.norm = {layer_norm_without_bias, config.real_at("layer_norm_eps")};
  c.pairs = Pairs::neighbours;
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  if (config.bool_or("use_qk_norm", false)) c.attention.head_norm = {layer_norm_per_head, c.norm.epsilon};
  Decoder decoder = llama_like("Cohere", c);
  decoder.logit_scale = config.real_at("logit_scale");
  return decoder_family(config, decoder);
}

}  // namespace braid
