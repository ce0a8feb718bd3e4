// DistilBERT (arXiv:1910.01108): BERT without segments and pooler, under names of its own.

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "dim": 768, "n_heads": 12, "n_layers": 6, "hidden_dim": 3072, "vocab_size": 30522, "max_position_embeddings": 512,
  "activation": "gelu"})";
constexpr double kEpsilon = 1e-12;  // which DistilBERT configs do not name
constexpr PostNormNames kNames{.qkv = {"attention.q_lin", "attention.k_lin", "attention.v_lin"},
                               .out = "attention.out_lin",
                               .attention_norm = "sa_layer_norm",
                               .up = "ffn.lin1",
                               .down = "ffn.lin2",
                               .norm = "output_layer_norm"};

struct DistilBert {
  explicit DistilBert(const Config& c)
      : layer{.heads = c.heads_and_dims({.hidden = "dim", .heads = "n_heads"}),
              .inner = c.size_at("hidden_dim"),
              .epsilon = kEpsilon,
              .activation = activation_name(c, "activation")},
        embeddings{.vocabulary = c.vocabulary(),
                   .width = layer.heads.hidden,
                   .positions = c.size_at("max_position_embeddings"),
                   .epsilon = kEpsilon},
        layers(c.layers("n_layers")) {}

  PostNormSizes layer;
  EmbeddingSizes embeddings;
  int64_t layers;
};

Value encoder(const Scope& s, const Step& t, const DistilBert& c) {
  HiddenStates hidden(t, "hidden");
  Value x = summed_embeddings(s["embeddings"], t, c.embeddings);
  hidden.add(x);
  for (int64_t i = 0; i < c.layers; ++i) {
    x = post_norm_layer(s["transformer"]["layer"][i], t, x, c.layer, kNames);
    hidden.add(x);
  }
  return x;
}

}  // namespace

Blueprint distilbert_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const DistilBert c(config);
  const int64_t width = c.embeddings.width, vocabulary = c.embeddings.vocabulary;
  const bool tied = config.bool_or("tie_word_embeddings", true);

  const auto predict = [=](const Scope& root, Value x) {
    x = transform(root, x, {"vocab_transform", "vocab_layer_norm", c.layer.activation, width, kEpsilon});
    const Scope projector = root["vocab_projector"];
    const Scope table = tied ? root["distilbert"]["embeddings"]["word_embeddings"] : projector;
    return vocabulary_logits(table, projector, x, vocabulary);
  };
  const auto summarise = [width](const Scope& root, const Step& t, Value x) {
    return relu(root.project("pre_classifier", first_of_each(t, x), width, kBias));
  };
  Blueprint family =
      encoder_blueprint(config, {.name = "DistilBert",
                                 .base = "distilbert",
                                 .vocabulary = vocabulary,
                                 .max_positions = c.embeddings.positions,
                                 .labels = label_count(config),
                                 .encode = [c](const Scope& base, const Step& t) { return encoder(base, t, c); },
                                 .predict = predict,
                                 .summarise = summarise});
  family.stale = {"*embeddings.position_ids", "vocab_*"};
  return family;
}

}  // namespace braid
