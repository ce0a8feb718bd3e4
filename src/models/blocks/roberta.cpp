#include "models/blocks/roberta.h"

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 12, "intermediate_size": 3072,
  "vocab_size": 50265, "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
  "hidden_act": "gelu", "pad_token_id": 1})";

}  // namespace

Value roberta_lm_head(const Scope& root, const Scope& table, Value x, int64_t vocabulary, double epsilon) {
  const Scope s = root["lm_head"];
  x = transform(s, x, {"dense", "layer_norm", "gelu", x.dim(-1).number(), epsilon});
  return vocabulary_logits(table, s, x, vocabulary);
}

Value roberta_summary(const Scope& root, const Step& t, Value x) {
  return first_token_pool(root, "classifier.dense", t, x);
}

Blueprint roberta_like(const Config& given, std::string_view name) {
  const Config config = given.with_defaults(kDefaults);
  const BertSizes c(config);
  const int64_t padding = config.int_at("pad_token_id", {.least = 0, .most = c.embeddings.vocabulary - 1});
  const bool tied = config.bool_or("tie_word_embeddings", true);
  if (padding + 1 >= c.embeddings.positions)
    config.fail("pad_token_id", "positions begin behind the padding token's id, and none is left");

  const auto predict = [c, tied](const Scope& root, Value x) {
    const Scope table = tied ? root["roberta"]["embeddings"]["word_embeddings"] : root["lm_head"]["decoder"];
    return roberta_lm_head(root, table, x, c.embeddings.vocabulary, c.layer.epsilon);
  };
  Blueprint family =
      encoder_blueprint(config, {.name = std::string(name),
                                 .base = "roberta",
                                 .vocabulary = c.embeddings.vocabulary,
                                 .max_positions = c.embeddings.positions - padding - 1,
                                 .labels = c.labels,
                                 .encode = [c](const Scope& base, const Step& t) { return bert_encoder(base, t, c); },
                                 .predict = predict,
                                 .pooler = "pooler.dense",
                                 .summarise = roberta_summary,
                                 .sequence_classifier = "classifier.out_proj"});
  family.position_padding = static_cast<int32_t>(padding);
  family.stale = {"*embeddings.position_ids", "*pooler.dense.*", "lm_head.*"};
  return family;
}

}  // namespace braid
