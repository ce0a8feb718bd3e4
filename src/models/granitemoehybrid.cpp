// Granite 4 (IBM, 2025): Mamba-2 layers, some attention among them, a mixture of experts beside an expert that every
// token takes, and multipliers.

#include "models/blocks/granite.h"
#include "models/blocks/hybrid.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "hidden_act": "silu",
  "num_local_experts": 8, "num_experts_per_tok": 2, "shared_intermediate_size": 1024, "mamba_n_heads": 128,
  "mamba_n_groups": 1, "mamba_d_state": 256, "mamba_d_head": "auto", "mamba_d_conv": 4, "mamba_expand": 2})";

}  // namespace

Blueprint granitemoehybrid_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  Hybrid c(config);
  c.attention.how.scale = config.real_or("attention_multiplier", 1);
  c.embedding_scale = config.real_or("embedding_multiplier", 1);
  c.rotates = config.string_or("position_embedding_type", "nope") == "rope";
  c.last_norm = "norm";
  const double scale = config.real_or("residual_multiplier", 1);
  c.layer = [c, scale, attends = attention_layers(config, c.layers, {}), feed_forward = GraniteMixture(config)](
                const Scope& s, const Step& t, const SelfAttention& attention, int64_t i, Value x) {
    const Value in = c.norm(s["input_layernorm"], x);
    x = x + (attends[static_cast<size_t>(i)] ? self_attention_block(s["self_attn"], t, in, attention)
                                             : mamba2(s["mamba"], t, in, c.mamba)) *
                scale;
    return x + feed_forward(s, c.norm(s["post_attention_layernorm"], x)) * scale;
  };
  Decoder decoder = hybrid("GraniteMoeHybrid", c);
  decoder.logit_scale = 1 / config.real_or("logits_scaling", 1);
  return decoder_family(config, decoder);
}

}  // namespace braid
