#include "models/blocks/gpt_like.h"

#include <utility>

namespace braid {
namespace {

Value body(const Scope& s, const GptLike& c, const Step& t, HiddenStates& hidden) {
  const Value x = embedding(s["wte"], t.token_ids(), c.vocabulary, c.width) +
                  embedding(s["wpe"], t.positions(), c.positions, c.width);
  const Value y = run_layers(s["h"], c.layers, x, hidden, [&](const Scope& l, int64_t i, Value in) {
    in = in + c.attention(l, t, i, c.norm(l["ln_1"], in));
    return in + c.mlp(l, c.norm(l["ln_2"], in));
  });
  return c.norm(s["ln_f"], y);
}

}  // namespace

Decoder gpt_like(std::string name, const Config& config, const GptLike& c) {
  return {.name = std::move(name),
          .model = "transformer",
          .embeddings = "wte",
          .tied = config.bool_or("tie_word_embeddings", true),
          .vocabulary = c.vocabulary,
          .max_positions = c.positions,
          .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); },
          .stale = {"*.attn.bias", "*.attn.masked_bias", "*.attention.bias", "*.attention.masked_bias"}};
}

}  // namespace braid
