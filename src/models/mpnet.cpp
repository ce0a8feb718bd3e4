// MPNet (arXiv:2004.09297): BERT's layers with T5's biases by distance beside positions as in RoBERTa.

#include "models/blocks/roberta.h"
#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 12, "intermediate_size": 3072,
  "vocab_size": 30527, "max_position_embeddings": 512, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
  "relative_attention_num_buckets": 32, "type_vocab_size": 1})";
constexpr int64_t kPadding = 1, kMaxDistance = 128;  // which MPNet configs do not name
constexpr PostNormNames kNames{.qkv = {"attention.attn.q", "attention.attn.k", "attention.attn.v"},
                               .out = "attention.attn.o",
                               .attention_norm = "attention.LayerNorm",
                               .up = "intermediate.dense",
                               .down = "output.dense",
                               .norm = "output.LayerNorm"};

struct MpNet : BertSizes {
  explicit MpNet(const Config& c)
      : BertSizes(c), buckets(c.int_at("relative_attention_num_buckets", {.least = 4, .most = 1 << 16})) {
    embeddings.segments = 0;
  }
  int64_t buckets;
};

Value encoder(const Scope& s, const Step& t, const MpNet& c) {
  HiddenStates hidden(t, "hidden");
  const Scope e = s["encoder"];
  const Value bias = relative_bias(e["relative_attention_bias"], {c.buckets, kMaxDistance, true}, c.layer.heads.heads);
  Value x = summed_embeddings(s["embeddings"], t, c.embeddings);
  hidden.add(x);
  for (int64_t i = 0; i < c.layers; ++i) {
    x = post_norm_layer(e["layer"][i], t, x, c.layer, kNames, {.scale = 0, .causal = false, .relative = bias});
    hidden.add(x);
  }
  return x;
}

}  // namespace

Blueprint mpnet_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const MpNet c(config);
  const bool tied = config.bool_or("tie_word_embeddings", true);

  const auto predict = [c, tied](const Scope& root, Value x) {
    const Scope table = tied ? root["mpnet"]["embeddings"]["word_embeddings"] : root["lm_head"]["decoder"];
    return roberta_lm_head(root, table, x, c.embeddings.vocabulary, c.layer.epsilon);
  };
  Blueprint family =
      encoder_blueprint(config, {.name = "MPNet",
                                 .base = "mpnet",
                                 .vocabulary = c.embeddings.vocabulary,
                                 .max_positions = c.embeddings.positions - kPadding - 1,
                                 .labels = c.labels,
                                 .encode = [c](const Scope& base, const Step& t) { return encoder(base, t, c); },
                                 .predict = predict,
                                 .pooler = "pooler.dense",
                                 .summarise = roberta_summary,
                                 .sequence_classifier = "classifier.out_proj"});
  family.position_padding = static_cast<int32_t>(kPadding);
  family.stale = {"*embeddings.position_ids", "*pooler.dense.*", "lm_head.*"};
  return family;
}

}  // namespace braid
