#include "models/blocks/gemma_like.h"

#include <cmath>
#include <utility>

namespace braid {
namespace {

Value layer(const Scope& s, const GemmaLike& c, Value x, const Step& t, const SelfAttention& attention) {
  const Value y = self_attention_block(s["self_attn"], t, c.norm(s["input_layernorm"], x), attention);
  x = x + c.norm(s["post_attention_layernorm"], y);
  const Value z = gated_mlp(s["mlp"], c.norm(s["pre_feedforward_layernorm"], x), c.mlp);
  return x + c.norm(s["post_feedforward_layernorm"], z);
}

Value body(const Scope& s, const GemmaLike& c, const Step& t, HiddenStates& hidden) {
  const auto& heads = c.attention.heads;
  const Rotary rotary(t, c.rope, heads.head_dim), sliding_rotary(t, c.sliding_rope, heads.head_dim);
  SelfAttention attention = c.attention;
  Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, heads.hidden) * std::sqrt(heads.hidden);
  x = run_layers(s["layers"], c.layers, x, hidden, [&](const Scope& l, int64_t i, Value in) {
    attention.how.window = c.windows[static_cast<size_t>(i)];
    attention.rotary = attention.how.window > 0 ? &sliding_rotary : &rotary;
    return layer(l, c, in, t, attention);
  });
  return c.norm(s["norm"], x);
}

}  // namespace

GemmaLike::GemmaLike(const Config& c)
    : attention{.heads = c.heads_and_dims(),
                .how = {.scale = 1 / std::sqrt(c.real_at("query_pre_attn_scalar"))},
                .bias = c.bool_or("attention_bias", false),
                .output_bias = c.bool_or("attention_bias", false)},
      mlp{.inner = c.size_at("intermediate_size"), .activation = activation_name(c, "hidden_activation")},
      norm{offset_rms_norm, c.real_at("rms_norm_eps")},
      layers(c.layers()),
      vocabulary(c.vocabulary()),
      max_positions(c.size_at("max_position_embeddings")),
      tied(c.bool_or("tie_word_embeddings", true)) {
  refuse(c, "use_bidirectional_attention");
}

Decoder gemma_like(std::string name, const GemmaLike& c) {
  return {.name = std::move(name),
          .tied = c.tied,
          .vocabulary = c.vocabulary,
          .max_positions = c.max_positions,
          .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); },
          .finish = [cap = c.logit_cap](Value logits) { return cap > 0 ? tanh(logits * (1 / cap)) * cap : logits; }};
}

}  // namespace braid
