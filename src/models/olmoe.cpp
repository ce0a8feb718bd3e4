// OLMoE (arXiv:2409.02060): Llama with norms over all queries and all keys of a token, and a mixture of small experts.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2048, "num_attention_heads": 16, "num_hidden_layers": 16, "intermediate_size": 2048,
  "vocab_size": 50304, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "hidden_act": "silu", "num_experts": 64,
  "num_experts_per_tok": 8})";

}  // namespace

Blueprint olmoe_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.attention.head_norm = {rms_norm_across_heads, c.norm.epsilon};
  c.attention.bound = config.real_or("clip_qkv", 0);
  const Mixture how = mixture_of(config, "intermediate_size");
  c.mixture = [how](const Scope& s, int64_t, Value x) { return mixture(s["mlp"], x, how); };
  return decoder_family(config, llama_like("Olmoe", c));
}

}  // namespace braid
