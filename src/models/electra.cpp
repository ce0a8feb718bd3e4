// ELECTRA (arXiv:2003.10555): BERT's encoder behind embeddings that may be narrower; trained to find replaced tokens.

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "embedding_size": 128, "hidden_size": 256, "num_attention_heads": 4, "num_hidden_layers": 12,
  "intermediate_size": 1024, "vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2,
  "layer_norm_eps": 1e-12, "hidden_act": "gelu"})";

}  // namespace

Blueprint electra_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const BertSizes c(config);
  const int64_t width = c.layer.heads.hidden;
  const bool tied = config.bool_or("tie_word_embeddings", true);

  const auto predict = [c, tied](const Scope& root, Value x) {
    x = transform(root["generator_predictions"], x,
                  {"dense", "LayerNorm", "gelu", c.embeddings.width, c.layer.epsilon});
    const Scope head = root["generator_lm_head"];
    return vocabulary_logits(tied ? root["electra"]["embeddings"]["word_embeddings"] : head, head, x,
                             c.embeddings.vocabulary);
  };
  const auto summarise = [width](const Scope& root, const Step& t, Value x) {
    return gelu(root.project("classifier.dense", first_of_each(t, x), width, kBias));
  };
  Blueprint family =
      encoder_blueprint(config, {.name = "Electra",
                                 .base = "electra",
                                 .vocabulary = c.embeddings.vocabulary,
                                 .max_positions = c.embeddings.positions,
                                 .labels = c.labels,
                                 .encode = [c](const Scope& base, const Step& t) { return bert_encoder(base, t, c); },
                                 .predict = predict,
                                 .summarise = summarise,
                                 .sequence_classifier = "classifier.out_proj"});
  family.stale = {"*embeddings.position_ids", "generator_*", "discriminator_predictions.*"};
  return family;
}

}  // namespace braid
