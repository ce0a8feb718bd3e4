// GLM-4 of 2025 (GLM-4-0414; arXiv:2406.12793): GLM-4 with norms after each block as well as before.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 128, "num_hidden_layers": 40,
  "intermediate_size": 13696, "vocab_size": 151552, "max_position_embeddings": 131072, "rms_norm_eps": 1.5625e-7,
  "hidden_act": "silu", "partial_rotary_factor": 0.5})";

Value layer(const Scope& s, const LayerParts& parts, Value x) {
  const Norm& norm = parts.c.norm;
  const Value a = self_attention_block(s["self_attn"], parts.t, norm(s["input_layernorm"], x), parts.attention);
  x = x + norm(s["post_self_attn_layernorm"], a);
  const Value m = fused_gated_mlp(s["mlp"], norm(s["post_attention_layernorm"], x), parts.c.mlp);
  return x + norm(s["post_mlp_layernorm"], m);
}

}  // namespace

Blueprint glm4_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config);
  c.layer = layer;
  c.pairs = Pairs::neighbours;
  c.attention.bias = config.bool_or("attention_bias", true);
  return decoder_family(config, llama_like("Glm4", c));
}

}  // namespace braid
