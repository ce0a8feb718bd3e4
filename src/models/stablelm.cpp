// StableLM (arXiv:2402.17834): Llama with LayerNorm and a quarter of each head rotated; attention and MLP perhaps in
// parallel on one norm; perhaps a norm of its own for each head's queries and keys.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2560, "num_attention_heads": 32, "num_key_value_heads": 32, "num_hidden_layers": 32,
  "intermediate_size": 6912, "vocab_size": 50304, "max_position_embeddings": 4096, "layer_norm_eps": 1e-5,
  "hidden_act": "silu", "partial_rotary_factor": 0.25})";

/// SCOPE.norms.H.weight (head_dim) for each head. x (tokens, heads, head_dim).
Value each_head_normed(const Scope& s, Value x, double epsilon) {
  std::vector<Value> weights;
  for (int64_t h = 0; h < x.dim(1).number(); ++h) weights.push_back(s["norms"][h].floats("weight", {x.dim(2)}));
  return layer_norm_without_weight(s, x, epsilon) * reshape(concat(weights, 0), {x.dim(1), x.dim(2)});
}

}  // namespace

Blueprint stablelm_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.norm = {layer_norm, config.real_at("layer_norm_eps")};
  if (config.bool_or("use_parallel_residual", false)) c.layer = parallel_layer;
  c.attention.bias = config.bool_or("use_qkv_bias", false);
  if (config.bool_or("qk_layernorm", false)) c.attention.head_norm = {each_head_normed, c.norm.epsilon};
  Decoder decoder = llama_like("StableLm", c);
  decoder.renames = {{".q_norm.", ".q_layernorm."}, {".k_norm.", ".k_layernorm."}};
  return decoder_family(config, decoder);
}

}  // namespace braid
