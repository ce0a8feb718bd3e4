// Bamba (IBM, 2024): Mamba-2 layers, some attention among them, half of each head rotated; a gated MLP in every layer.

#include <algorithm>

#include "models/blocks/hybrid.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32,
  "intermediate_size": 14336, "vocab_size": 128000, "max_position_embeddings": 262144, "rms_norm_eps": 1e-5,
  "hidden_act": "silu", "partial_rotary_factor": 0.5, "mamba_n_heads": 128, "mamba_d_head": "auto",
  "mamba_n_groups": 1, "mamba_d_state": 256, "mamba_d_conv": 4, "mamba_expand": 2})";

}  // namespace

Blueprint bamba_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  Hybrid c(config);
  std::vector<bool> attends(static_cast<size_t>(c.layers));
  for (const int64_t i : config.ints_or("attn_layer_indices", {}, {0, c.layers - 1}))
    attends[static_cast<size_t>(i)] = true;
  c.rotates = std::ranges::find(attends, true) != attends.end();
  c.layer = [attends, norm = c.norm, mamba = c.mamba, mlp = c.mlp](const Scope& s, const Step& t,
                                                                   const SelfAttention& attention, int64_t i, Value x) {
    const Value in = norm(s["input_layernorm"], x);
    x = x + (attends[static_cast<size_t>(i)] ? self_attention_block(s["self_attn"], t, in, attention)
                                             : mamba2(s["mamba"], t, in, mamba));
    return x + gated_mlp(s["feed_forward"], norm(s["pre_ff_layernorm"], x), mlp);
  };
  return decoder_family(config, hybrid("Bamba", c));
}

}  // namespace braid
