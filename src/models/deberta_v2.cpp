// DeBERTa v2 and v3 (arXiv:2006.03654, arXiv:2111.09543): what queries and keys say to each other's distance is part of
// every score ("disentangled attention"). Distances have buckets on a logarithmic scale.

#include <algorithm>
#include <cmath>

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 1536, "num_attention_heads": 24, "num_hidden_layers": 24, "intermediate_size": 6144,
  "vocab_size": 128100, "max_position_embeddings": 512, "type_vocab_size": 0, "layer_norm_eps": 1e-7,
  "hidden_act": "gelu", "pooler_hidden_act": "gelu", "max_relative_positions": -1, "position_buckets": -1})";
constexpr PostNormNames kNames{
    .qkv = {"attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj"},
    .out = kBertNames.out,
    .attention_norm = kBertNames.attention_norm,
    .up = kBertNames.up,
    .down = kBertNames.down,
    .norm = kBertNames.norm};

struct Deberta : BertSizes {
  explicit Deberta(const Config& c) : BertSizes(c) {
    for (const std::string_view key : {"conv_kernel_size", "attention_head_size"}) refuse(c, key);
    std::vector<std::string> kinds = c.find("pos_att_type") && c.at("pos_att_type").is_array()
                                         ? c.strings("pos_att_type")
                                         : std::vector<std::string>();
    const std::string joined = kinds.empty() && c.has("pos_att_type") ? c.string_at("pos_att_type") : "";  // "p2c|c2p"
    const auto has = [&](std::string_view kind) {
      return std::ranges::find(kinds, kind) != kinds.end() || joined.find(kind) != std::string::npos;
    };
    relative = c.bool_or("relative_attention", false);
    by_query = relative && has("c2p");
    by_key = relative && has("p2c");
    terms = 1 + has("c2p") + has("p2c");
    shared = c.bool_or("share_att_key", false);
    normed = c.string_or("norm_rel_ebd", "none").find("layer_norm") != std::string::npos;
    absolute = c.bool_or("position_biased_input", true);
    buckets = c.int_at("position_buckets", {.least = -1, .most = 1 << 16});
    farthest = c.int_at("max_relative_positions", {.least = -1, .most = 1 << 20});
    if (farthest < 1) farthest = embeddings.positions;
    span = buckets > 0 ? buckets : farthest;
  }

  bool relative = false, by_query = false, by_key = false, shared = false, normed = false, absolute = true;
  int terms = 1;  ///< of a score
  int64_t buckets = 0, farthest = 0;
  int64_t span = 0;  ///< half of the rows of the table of distances
};

/// Row of the table for position of the query - position of the key.
int64_t bucket(const Deberta& c, int64_t distance) {
  const int64_t mid = c.buckets / 2, far = std::abs(distance);
  int64_t row = distance;
  if (c.buckets > 0 && far > mid) {  // in f32 as torch computes it: a border may lie on either side of a distance
    const float scaled = std::log(static_cast<float>(far) / static_cast<float>(mid)) /
                         std::log(static_cast<float>(static_cast<double>(c.farthest - 1) / static_cast<double>(mid))) *
                         static_cast<float>(mid - 1);
    row = (static_cast<int64_t>(std::ceil(scaled)) + mid) * (distance < 0 ? -1 : 1);
  }
  return std::clamp(row + c.span, int64_t{0}, 2 * c.span - 1);
}

/// Distances from which on all share the first and the last row.
int64_t reach_of(const Deberta& c) {
  int64_t reach = 1;
  while (reach + 1 < c.embeddings.positions && (bucket(c, reach) < 2 * c.span - 1 || bucket(c, -reach) > 0)) ++reach;
  return reach;
}

/// The table of distances, a row per distance -reach … reach of the key from the query: (2 · reach + 1, width).
Value distances(const Scope& encoder, const Deberta& c) {
  Value table = encoder["rel_embeddings"].floats("weight", {2 * c.span, c.layer.heads.hidden});
  if (c.normed) table = layer_norm(encoder["LayerNorm"], table, c.layer.epsilon);
  const int64_t reach = reach_of(c);
  std::vector<int32_t> rows;
  for (int64_t d = -reach; d <= reach; ++d) rows.push_back(static_cast<int32_t>(bucket(c, -d)));
  return gather(table, encoder.builder().constant(Tensor::of({2 * reach + 1}, std::span<const int32_t>(rows))));
}

/// rows (tokens, width) · a projection of the distances, head by head → (heads, tokens, 2 · reach + 1).
Value by_distance(const Scope& s, const Deberta& c, std::string_view name, Value rows, Value distances, double scale) {
  const auto heads_first = [&](Value x) { return transpose(split_heads(x, c.layer.heads.head_dim), {1, 0, 2}); };
  return contract(heads_first(rows), heads_first(s.project(name, distances, c.layer.heads.hidden, kBias))) * scale;
}

Value layer(const Scope& s, const Deberta& c, const Step& t, Value x, Value distances) {
  const Scope a = s["attention"]["self"];
  const int64_t width = c.layer.heads.hidden;
  Attend how{.scale = 1 / std::sqrt(static_cast<double>(c.layer.heads.head_dim * c.terms)), .causal = false};
  if (c.by_query)
    how.query_relative = by_distance(a, c, c.shared ? "key_proj" : "pos_key_proj",
                                     a.project("query_proj", x, width, kBias), distances, how.scale);
  if (c.by_key)
    how.key_relative = by_distance(a, c, c.shared ? "query_proj" : "pos_query_proj",
                                   a.project("key_proj", x, width, kBias), distances, how.scale);
  return post_norm_layer(s, t, x, c.layer, kNames, how);
}

Value encoder(const Scope& s, const Step& t, const Deberta& c) {
  HiddenStates hidden(t, "hidden");
  const Scope e = s["embeddings"], layers = s["encoder"];
  const int64_t width = c.embeddings.width;
  Value x = embedding(e["word_embeddings"], t.token_ids(), c.embeddings.vocabulary, width);
  if (c.absolute) x = x + embedding(e["position_embeddings"], t.positions(), c.embeddings.positions, width);
  if (c.embeddings.segments > 0)
    x = x + embedding(e["token_type_embeddings"], t.token_type_ids(), c.embeddings.segments, width);
  if (width != c.layer.heads.hidden) x = e.project("embed_proj", x, c.layer.heads.hidden);
  x = layer_norm(e["LayerNorm"], x, c.layer.epsilon);
  hidden.add(x);
  const Value table = c.relative ? distances(layers, c) : Value{};
  for (int64_t i = 0; i < c.layers; ++i) {
    x = layer(layers["layer"][i], c, t, x, table);
    hidden.add(x);
  }
  return x;
}

}  // namespace

Blueprint deberta_v2_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Deberta c(config);
  const int64_t width = c.layer.heads.hidden;
  const std::string pooled = activation_name(config, "pooler_hidden_act");

  const auto predict = [c](const Scope& root, Value x) {
    const Scope s = root["cls"]["predictions"];
    x = transform(s["transform"], x, {"dense", "LayerNorm", c.layer.activation, c.embeddings.width, c.layer.epsilon});
    return vocabulary_logits(root["deberta"]["embeddings"]["word_embeddings"], s, x, c.embeddings.vocabulary);
  };
  const auto summarise = [width, pooled](const Scope& root, const Step& t, Value x) {
    return activation(pooled, root.project("pooler.dense", first_of_each(t, x), width, kBias));
  };
  Blueprint family =
      encoder_blueprint(config, {.name = "DebertaV2",
                                 .base = "deberta",
                                 .vocabulary = c.embeddings.vocabulary,
                                 .max_positions = c.embeddings.positions,
                                 .labels = c.labels,
                                 .encode = [c](const Scope& base, const Step& t) { return encoder(base, t, c); },
                                 .predict = predict,
                                 .summarise = summarise});
  family.stale = {"*embeddings.position_ids", "*pooler.dense.*", "cls.*", "lm_predictions.*", "mask_predictions.*"};
  return family;
}

}  // namespace braid
