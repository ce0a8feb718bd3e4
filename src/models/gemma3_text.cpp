// Gemma 3 (arXiv:2503.19786), the language model: Gemma 2's layers with norms on queries and keys instead of caps;
// five layers with a sliding window and rotary positions of their own, then one that sees all. EmbeddingGemma
// (arXiv:2509.20354) sees in both directions.

#include <cmath>

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2304, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "num_hidden_layers": 26,
  "intermediate_size": 9216, "vocab_size": 262208, "max_position_embeddings": 131072, "rms_norm_eps": 1e-6,
  "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 256, "sliding_window": 4096,
  "rope_local_base_freq": 1e4, "tie_word_embeddings": true})";

}  // namespace

Blueprint gemma3_text_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.layer = sandwich_layer;
  c.norm.kind = offset_rms_norm;
  c.embedding_scale = std::sqrt(c.attention.heads.hidden);
  c.rope = config.rope(1e6, "full_attention");
  // In transformers 5 a section of rope_parameters; before that, a base alone.
  c.sliding_rope = config.has("rope_parameters") ? config.rope(1e4, "sliding_attention")
                                                 : RopeConfig{.theta = config.real_at("rope_local_base_freq")};
  const int64_t pattern = config.size_or("sliding_window_pattern", config.size_or("_sliding_window_pattern", 6));
  c.windows = layer_windows(config, c.layers, [&](int64_t i) { return (i + 1) % pattern != 0; });
  c.attention.head_norm = c.norm;
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.attention.how.scale = 1 / std::sqrt(config.real_at("query_pre_attn_scalar"));
  c.attention.how.soft_cap = config.real_or("attn_logit_softcapping", 0);
  if (config.bool_or("use_bidirectional_attention", false)) {
    c.attention.how.causal = false;
    for (int64_t& window : c.windows) window = window > 0 ? window / 2 + 1 : 0;  // the config's is that of both sides
  }
  Decoder decoder = llama_like("Gemma3Text", c);
  decoder.causal = "Gemma3ForCausalLM";
  decoder.generates = c.attention.how.causal;
  decoder.logit_cap = config.real_or("final_logit_softcapping", 0);
  return decoder_family(config, decoder);
}

}  // namespace braid
