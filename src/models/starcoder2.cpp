// StarCoder 2 (arXiv:2402.19173): LayerNorm, an MLP without a gate, biases everywhere, a sliding window.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 3072, "num_attention_heads": 24, "num_key_value_heads": 2, "num_hidden_layers": 30,
  "intermediate_size": 12288, "vocab_size": 49152, "max_position_embeddings": 4096, "norm_epsilon": 1e-5,
  "hidden_act": "gelu_pytorch_tanh", "tie_word_embeddings": true})";

Value mlp(const Scope& m, Value x, const Mlp& how) { return plain_mlp(m, x, how, "c_fc", "c_proj"); }

}  // namespace

Blueprint starcoder2_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.norm = {layer_norm, config.real_at("norm_epsilon")};
  c.feed_forward = mlp;
  c.attention.bias = c.attention.output_bias = c.mlp.bias = config.bool_or("use_bias", true);
  c.attention.how.window = config.size_or("sliding_window", 0);
  return decoder_family(config, llama_like("Starcoder2", c));
}

}  // namespace braid
