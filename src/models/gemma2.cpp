// Gemma 2 (arXiv:2408.00118): a norm before and after each block, soft caps on scores and logits, every second layer
// with a sliding window.

#include "models/blocks/gemma_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2304, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "num_hidden_layers": 26,
  "intermediate_size": 9216, "vocab_size": 256000, "max_position_embeddings": 8192, "rms_norm_eps": 1e-6,
  "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 256, "sliding_window": 4096})";
constexpr double kScoreCap = 50, kLogitCap = 30;  // where the config does not say; null means none

double soft_cap(const Config& c, std::string_view key, double otherwise) {
  return c.has(key) ? c.real_at(key) : c.json().find(key) ? 0 : otherwise;
}

}  // namespace

Blueprint gemma2_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  GemmaLike c(config);
  c.rope = c.sliding_rope = config.rope();
  c.windows = layer_windows(config, c.layers, [](int64_t i) { return i % 2 == 0; });
  c.attention.how.soft_cap = soft_cap(config, "attn_logit_softcapping", kScoreCap);
  c.logit_cap = soft_cap(config, "final_logit_softcapping", kLogitCap);
  return decoder_family(config, gemma_like("Gemma2", c));
}

}  // namespace braid
