#include "models/blocks/encoder.h"

#include <cmath>

#include "models/family.h"

namespace braid {

Value post_norm_layer(const Scope& s, const Step& t, Value x, const PostNormSizes& c, const PostNormNames& names,
                      Attend how) {
  const Within here(s);
  const int64_t width = c.heads.hidden, head_dim = c.heads.head_dim;
  if (how.scale == 0) how.scale = 1 / std::sqrt(head_dim);
  const auto [q, k, v] = s.project({{names.qkv[0], width}, {names.qkv[1], width}, {names.qkv[2], width}}, x, kBias);
  const Value y =
      attend(split_heads(q, head_dim), split_heads(k, head_dim), split_heads(v, head_dim), t.span_start(), how);
  x = layer_norm(s[names.attention_norm], x + s.project(names.out, merge_heads(y), width, kBias), c.epsilon);
  const Value inner = activation(c.activation, s.project(names.up, x, c.inner, kBias));
  return layer_norm(s[names.norm], x + s.project(names.down, inner, width, kBias), c.epsilon);
}

Value summed_embeddings(const Scope& s, const Step& t, const EmbeddingSizes& c) {
  Value x = embedding(s["word_embeddings"], t.token_ids(), c.vocabulary, c.width) +
            embedding(s["position_embeddings"], t.positions(), c.positions, c.width);
  if (c.segments > 0) x = x + embedding(s["token_type_embeddings"], t.token_type_ids(), c.segments, c.width);
  return layer_norm(s["LayerNorm"], x, c.epsilon);
}

BertSizes::BertSizes(const Config& c)
    : layer{.heads = c.heads_and_dims(),
            .inner = c.size_at("intermediate_size"),
            .epsilon = c.real_at("layer_norm_eps"),
            .activation = activation_name(c, "hidden_act")},
      layers(c.layers()),
      labels(label_count(c)) {
  if (c.bool_or("is_decoder", false)) c.fail("is_decoder", "an encoder as a decoder is not supported");
  if (c.string_or("position_embedding_type", "absolute") != "absolute")
    c.fail("position_embedding_type", "only absolute positions are supported");
  embeddings = {.vocabulary = c.vocabulary(),
                .width = c.size_or("embedding_size", layer.heads.hidden),
                .positions = c.size_at("max_position_embeddings"),
                .segments = c.int_at("type_vocab_size", {.least = 0, .most = kSizeRange.most}),
                .epsilon = layer.epsilon};
}

Value bert_encoder(const Scope& s, const Step& t, const BertSizes& c) {
  HiddenStates hidden(t, "hidden");
  Value x = summed_embeddings(s["embeddings"], t, c.embeddings);
  if (c.embeddings.width != c.layer.heads.hidden) x = s.project("embeddings_project", x, c.layer.heads.hidden, kBias);
  hidden.add(x);
  for (int64_t i = 0; i < c.layers; ++i) {
    x = post_norm_layer(s["encoder"]["layer"][i], t, x, c.layer, kBertNames);
    hidden.add(x);
  }
  return x;
}

}  // namespace braid
