// Phi-1, 1.5 and 2 (arXiv:2309.05463): attention and MLP in parallel on one LayerNorm, half of each head rotated,
// biases everywhere.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2048, "num_attention_heads": 32, "num_hidden_layers": 24, "intermediate_size": 8192,
  "vocab_size": 51200, "max_position_embeddings": 2048, "layer_norm_eps": 1e-5, "hidden_act": "gelu_new",
  "partial_rotary_factor": 0.5})";

Value mlp(const Scope& m, Value x, const Mlp& how) { return plain_mlp(m, x, how, "fc1", "fc2"); }

}  // namespace

Blueprint phi_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  refuse(config, "qk_layernorm");
  LlamaLike c(config);
  c.layer = parallel_layer;
  c.norm = {layer_norm, config.real_at("layer_norm_eps")};
  c.last_norm = "final_layernorm";
  c.feed_forward = mlp;
  c.attention.output = "dense";
  c.attention.bias = c.attention.output_bias = c.mlp.bias = true;
  Decoder decoder = llama_like("Phi", c);
  decoder.head_bias = true;
  return decoder_family(config, decoder);
}

}  // namespace braid
