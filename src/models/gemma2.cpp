// Gemma 2 (arXiv:2408.00118): Gemma with a norm before and after each block, soft caps on scores and logits, every
// second layer with a sliding window.

#include <cmath>

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2304, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "num_hidden_layers": 26,
  "intermediate_size": 9216, "vocab_size": 256000, "max_position_embeddings": 8192, "rms_norm_eps": 1e-6,
  "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 256, "sliding_window": 4096,
  "tie_word_embeddings": true})";
constexpr double kScoreCap = 50, kLogitCap = 30;  // where the config does not say; null means none

double soft_cap(const Config& c, std::string_view key, double otherwise) {
  return c.has(key) ? c.real_at(key) : c.json().find(key) ? 0 : otherwise;
}

}  // namespace

Blueprint gemma2_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  refuse(config, "use_bidirectional_attention");
  LlamaLike c(config);
  c.layer = sandwich_layer;
  c.norm.kind = offset_rms_norm;
  c.embedding_scale = std::sqrt(c.attention.heads.hidden);
  c.windows = layer_windows(config, c.layers, [](int64_t i) { return i % 2 == 0; });
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.attention.how.scale = 1 / std::sqrt(config.real_at("query_pre_attn_scalar"));
  c.attention.how.soft_cap = soft_cap(config, "attn_logit_softcapping", kScoreCap);
  Decoder decoder = llama_like("Gemma2", c);
  decoder.logit_cap = soft_cap(config, "final_logit_softcapping", kLogitCap);
  return decoder_family(config, decoder);
}

}  // namespace braid
