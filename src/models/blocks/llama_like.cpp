#include "models/blocks/llama_like.h"

#include <cmath>
#include <utility>

namespace braid {
namespace {

Value layer(const Scope& s, const LlamaLike& c, Value x, const Step& t, const SelfAttention& attention) {
  const auto add = [&](Value y) { return c.residual_scale == 1 ? x + y : x + y * c.residual_scale; };
  x = add(self_attention_block(s["self_attn"], t, c.norm(s["input_layernorm"], x), attention));
  return add(gated_mlp(s["mlp"], c.norm(s["post_attention_layernorm"], x), c.mlp));
}

Value body(const Scope& s, const LlamaLike& c, const Step& t, HiddenStates& hidden) {
  const Rotary rotary(t, c.rope, c.attention.heads.head_dim, c.pairs);
  Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.attention.heads.hidden);
  if (c.embedding_scale != 1) x = x * c.embedding_scale;
  x = run_layers(s["layers"], c.layers, x, hidden, [&](const Scope& l, int64_t index, Value in) {
    const auto i = static_cast<size_t>(index);
    SelfAttention attention = c.attention;
    if (!c.windows.empty()) attention.how.window = c.windows[i];
    if (c.rotated.empty() || c.rotated[i] != 0) attention.rotary = &rotary;
    return layer(l, c, in, t, attention);
  });
  return c.norm(s["norm"], x);
}

}  // namespace

LlamaLike::LlamaLike(const Config& c, double rope_theta)
    : attention{.heads = c.heads_and_dims(), .how = {}},
      mlp{.inner = c.size_at("intermediate_size"), .activation = activation_name(c, "hidden_act")},
      norm{rms_norm, c.real_or("rms_norm_eps", 1e-6)},
      rope(c.rope(rope_theta)),
      layers(c.layers()),
      vocabulary(c.vocabulary()),
      max_positions(c.size_at("max_position_embeddings")),
      tied(c.bool_or("tie_word_embeddings", false)) {
  attention.how.scale = 1 / std::sqrt(attention.heads.head_dim);
}

Decoder llama_like(std::string name, const LlamaLike& c) {
  return {.name = std::move(name),
          .tied = c.tied,
          .vocabulary = c.vocabulary,
          .max_positions = c.max_positions,
          .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); }};
}

}  // namespace braid
