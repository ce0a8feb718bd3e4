#include "models/blocks/llama_like.h"

#include <cmath>
#include <utility>

namespace braid {
namespace {

Value attention(const Scope& s, const LayerParts& parts, Value x) {
  return self_attention_block(s["self_attn"], parts.t, x, parts.attention);
}

Value feed_forward(const Scope& s, const LayerParts& parts, Value x) {
  if (parts.c.mixture) return parts.c.mixture(s, parts.index, x);
  return parts.c.feed_forward(s["mlp"], x, parts.c.mlp);
}

Value body(const Scope& s, const LlamaLike& c, const Step& t, HiddenStates& hidden) {
  const int64_t width = c.attention.heads.hidden, head_dim = c.attention.heads.head_dim;
  std::optional<Rotary> rotary, sliding_rotary;  // those that some layer wants
  const auto rotary_of = [&](bool sliding) {
    const bool other = sliding && c.sliding_rope;
    std::optional<Rotary>& made = other ? sliding_rotary : rotary;
    if (!made) made.emplace(t, other ? *c.sliding_rope : c.rope, head_dim, c.pairs);
    return &*made;
  };
  Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, width);
  if (c.embedding_scale != 1) x = x * c.embedding_scale;
  x = run_layers(s["layers"], c.layers, x, hidden, [&](const Scope& l, int64_t index, Value in) {
    const auto i = static_cast<size_t>(index);
    LayerParts parts{c, t, c.attention, index};
    if (!c.windows.empty()) parts.attention.how.window = c.windows[i];
    if (c.rotated.empty() || c.rotated[i]) parts.attention.rotary = rotary_of(parts.attention.how.window > 0);
    return c.layer(l, parts, in);
  });
  return c.norm(s[c.last_norm], x);
}

}  // namespace

Value pre_norm_layer(const Scope& s, const LayerParts& parts, Value x) {
  const LlamaLike& c = parts.c;
  const auto add = [&](Value y) { return c.residual_scale == 1 ? x + y : x + y * c.residual_scale; };
  x = add(attention(s, parts, c.norm(s["input_layernorm"], x)));
  return add(feed_forward(s, parts, c.norm(s["post_attention_layernorm"], x)));
}

Value post_norm_layer(const Scope& s, const LayerParts& parts, Value x) {
  const Norm& norm = parts.c.norm;
  x = x + norm(s["post_attention_layernorm"], attention(s, parts, x));
  return x + norm(s["post_feedforward_layernorm"], feed_forward(s, parts, x));
}

Value sandwich_layer(const Scope& s, const LayerParts& parts, Value x) {
  const Norm& norm = parts.c.norm;
  x = x + norm(s["post_attention_layernorm"], attention(s, parts, norm(s["input_layernorm"], x)));
  return x + norm(s["post_feedforward_layernorm"], feed_forward(s, parts, norm(s["pre_feedforward_layernorm"], x)));
}

Value parallel_layer(const Scope& s, const LayerParts& parts, Value x) {
  const Value normed = parts.c.norm(s["input_layernorm"], x);
  return x + attention(s, parts, normed) + feed_forward(s, parts, normed);
}

LlamaLike::LlamaLike(const Config& c, double rope_theta)
    : attention{.heads = c.heads_and_dims(), .how = {}},
      mlp{.inner = c.size_at("intermediate_size"),
          .activation = activation_name(c, c.has("hidden_activation") ? "hidden_activation" : "hidden_act")},
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
          .default_context = c.rope.type == RopeConfig::Type::longrope ? c.rope.original_max_position : 0,
          .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); }};
}

}  // namespace braid
