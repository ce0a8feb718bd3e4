#include "models/blocks/hybrid.h"

#include <cmath>
#include <optional>
#include <utility>

namespace braid {
namespace {

Value body(const Scope& s, const Hybrid& c, const Step& t, HiddenStates& hidden) {
  SelfAttention attention = c.attention;
  std::optional<Rotary> rotary;
  if (c.rotates) attention.rotary = &rotary.emplace(t, c.rope, attention.heads.head_dim);
  Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, attention.heads.hidden);
  if (c.embedding_scale != 1) x = x * c.embedding_scale;
  const auto layer = [&](const Scope& l, int64_t i, Value in) { return c.layer(l, t, attention, i, in); };
  return c.norm(s[c.last_norm], run_layers(s["layers"], c.layers, x, hidden, layer));
}

}  // namespace

Hybrid::Hybrid(const Config& c)
    : attention{.heads = c.heads_and_dims(),
                .how = {},
                .bias = c.bool_or("attention_bias", false),
                .output_bias = c.bool_or("attention_bias", false)},
      norm{rms_norm, c.real_at("rms_norm_eps")},
      rope(c.rope()),
      mamba(Mamba2::from(c)),
      mlp{.inner = c.size_at("intermediate_size"),
          .activation = activation_name(c, "hidden_act"),
          .bias = c.bool_or("mlp_bias", false)},
      layers(c.layers()),
      vocabulary(c.vocabulary()),
      max_positions(c.size_at("max_position_embeddings")),
      tied(c.bool_or("tie_word_embeddings", false)) {
  attention.how.scale = 1 / std::sqrt(attention.heads.head_dim);
  mamba.norm_groups = mamba.groups;
}

Decoder hybrid(std::string name, const Hybrid& c) {
  return {.name = std::move(name),
          .tied = c.tied,
          .vocabulary = c.vocabulary,
          .max_positions = c.max_positions,
          .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); }};
}

}  // namespace braid
