// BERT (arXiv:1810.04805): bidirectional attention, learned positions and segments, LayerNorm after each block, and a
// head per task.

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 12, "intermediate_size": 3072,
  "vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
  "hidden_act": "gelu"})";

}  // namespace

Blueprint bert_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const BertSizes c(config);
  const int64_t width = c.layer.heads.hidden;
  const bool tied = config.bool_or("tie_word_embeddings", true);

  const auto predict = [c, width, tied](const Scope& root, Value x) {
    const Scope s = root["cls"]["predictions"];
    x = transform(s["transform"], x, {"dense", "LayerNorm", c.layer.activation, width, c.layer.epsilon});
    const Scope table = tied ? root["bert"]["embeddings"]["word_embeddings"] : s["decoder"];
    return vocabulary_logits(table, s, x, c.embeddings.vocabulary);
  };
  Blueprint bert =
      encoder_blueprint(config, {.name = "Bert",
                                 .base = "bert",
                                 .vocabulary = c.embeddings.vocabulary,
                                 .max_positions = c.embeddings.positions,
                                 .labels = c.labels,
                                 .encode = [c](const Scope& base, const Step& t) { return bert_encoder(base, t, c); },
                                 .predict = predict,
                                 .pooler = "pooler.dense"});
  bert.renames.push_back({".LayerNorm.weight", ".LayerNorm.gamma"});  // TensorFlow's names
  bert.renames.push_back({".LayerNorm.bias", ".LayerNorm.beta"});
  // Heads of pre-training and copies of tied weights, which files carry for other tasks than this one.
  bert.stale = {"*embeddings.position_ids", "*pooler.dense.*", "cls.*"};
  return bert;
}

}  // namespace braid
