// Mixtral (arXiv:2401.04088): Llama's attention, and in each layer a mixture of SwiGLU experts of which every token
// takes two.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32,
  "intermediate_size": 14336, "num_local_experts": 8, "num_experts_per_tok": 2, "vocab_size": 32000,
  "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "hidden_act": "silu"})";

}  // namespace

Blueprint mixtral_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config, 1e6);
  c.attention.how.window = config.size_or("sliding_window", 0);
  Mixture how = mixture_of(config, "intermediate_size");
  how.routing.renormalise = true;
  how.gate = "w1";
  how.up = "w3";
  how.down = "w2";
  c.mixture = [how](const Scope& s, int64_t, Value x) { return mixture(s["block_sparse_moe"], x, how); };
  return decoder_family(config, llama_like("Mixtral", c));
}

}  // namespace braid
