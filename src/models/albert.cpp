// ALBERT (arXiv:1909.11942): embeddings narrower than the layers, and one group of layers used again and again.

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "embedding_size": 128, "hidden_size": 4096, "num_attention_heads": 64, "num_hidden_layers": 12,
  "num_hidden_groups": 1, "inner_group_num": 1, "intermediate_size": 16384, "vocab_size": 30000,
  "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu_new"})";
constexpr PostNormNames kNames{.qkv = {"attention.query", "attention.key", "attention.value"},
                               .out = "attention.dense",
                               .attention_norm = "attention.LayerNorm",
                               .up = "ffn",
                               .down = "ffn_output",
                               .norm = "full_layer_layer_norm"};

struct Albert : BertSizes {
  explicit Albert(const Config& c)
      : BertSizes(c), groups(c.size_at("num_hidden_groups")), inner_layers(c.layers("inner_group_num")) {}
  int64_t groups, inner_layers;
};

Value encoder(const Scope& s, const Step& t, const Albert& c) {
  HiddenStates hidden(t, "hidden");
  Value x = summed_embeddings(s["embeddings"], t, c.embeddings);
  x = s["encoder"].project("embedding_hidden_mapping_in", x, c.layer.heads.hidden, kBias);
  hidden.add(x);
  for (int64_t i = 0; i < c.layers; ++i) {
    const Scope group = s["encoder"]["albert_layer_groups"][i * c.groups / c.layers]["albert_layers"];
    for (int64_t j = 0; j < c.inner_layers; ++j) {
      x = post_norm_layer(group[j], t, x, c.layer, kNames);
      hidden.add(x);
    }
  }
  return x;
}

}  // namespace

Blueprint albert_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Albert c(config);
  const bool tied = config.bool_or("tie_word_embeddings", true);

  const auto predict = [c, tied](const Scope& root, Value x) {
    const Scope s = root["predictions"];
    x = transform(s, x, {"dense", "LayerNorm", c.layer.activation, c.embeddings.width, c.layer.epsilon});
    const Scope table = tied ? root["albert"]["embeddings"]["word_embeddings"] : s["decoder"];
    return vocabulary_logits(table, s, x, c.embeddings.vocabulary);
  };
  Blueprint family =
      encoder_blueprint(config, {.name = "Albert",
                                 .base = "albert",
                                 .vocabulary = c.embeddings.vocabulary,
                                 .max_positions = c.embeddings.positions,
                                 .labels = c.labels,
                                 .encode = [c](const Scope& base, const Step& t) { return encoder(base, t, c); },
                                 .predict = predict,
                                 .pooler = "pooler"});
  family.stale = {"*embeddings.position_ids", "*pooler.*", "predictions.*", "sop_classifier.*"};
  return family;
}

}  // namespace braid
