#include "models/blocks/heads.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "models/family.h"

namespace braid {
namespace {

using Parts = std::shared_ptr<const EncoderParts>;

void features(const Scope& root, const EncoderParts& c, const Step& t) {
  const Scope base = root[c.base];
  const Value x = c.encode(base, t);
  t.builder().output("last_hidden_state", x);
  if (!c.pooler.empty() && base[c.pooler].has("weight"))
    t.builder().output("pooler_output", first_token_pool(base, c.pooler, t, x));
}

void masked_lm(const Scope& root, const EncoderParts& c, const Step& t) {
  t.builder().output("logits", c.predict(root, gather(c.encode(root[c.base], t), t.rows())));
}

void sequence_classification(const Scope& root, const EncoderParts& c, const Step& t) {
  const Scope base = root[c.base];
  const Value x = c.encode(base, t);
  const Value summary = c.summarise ? c.summarise(root, t, x) : first_token_pool(base, c.pooler, t, x);
  t.builder().output("logits", root.project(c.sequence_classifier, summary, c.labels, kBias));
}

Value refined(const Scope& root, const EncoderParts& c, const Step& t) {
  const Value x = c.encode(root[c.base], t);
  return c.refine ? c.refine(root, x) : x;
}

void token_classification(const Scope& root, const EncoderParts& c, const Step& t) {
  t.builder().output("logits", root.project(c.token_classifier, refined(root, c, t), c.labels, kBias));
}

void question_answering(const Scope& root, const EncoderParts& c, const Step& t) {
  const Value spans = root.project(c.span_head, refined(root, c, t), 2, kBias);  // (tokens, start and end)
  t.builder().output("start_logits", reshape(slice(spans, -1, 0, 1), {Symbol::tokens}));
  t.builder().output("end_logits", reshape(slice(spans, -1, 1, 2), {Symbol::tokens}));
}

struct Head {
  std::string suffix;
  void (*build)(const Scope& root, const EncoderParts& c, const Step& t);
};

std::vector<Head> heads_of(const EncoderParts& c) {
  std::vector<Head> heads{{"Model", features}};
  if (c.predict) heads.push_back({"ForMaskedLM", masked_lm});
  if (c.summarise || !c.pooler.empty()) heads.push_back({"ForSequenceClassification", sequence_classification});
  heads.push_back({"ForTokenClassification", token_classification});
  heads.push_back({"ForQuestionAnswering", question_answering});
  return heads;
}

}  // namespace

Blueprint encoder_blueprint(const Config& config, EncoderParts given) {
  const Parts parts = std::make_shared<const EncoderParts>(std::move(given));
  const std::vector<Head> heads = heads_of(*parts);
  std::vector<std::string> names;
  for (const Head& head : heads) names.push_back(parts->name + head.suffix);
  const std::string name = architecture(config, std::vector<std::string_view>(names.begin(), names.end()));
  const auto build = heads[static_cast<size_t>(std::ranges::find(names, name) - names.begin())].build;
  return {.architecture = name,
          .entries = {{"forward", [parts, build](const Scope& root, const Step& t) { build(root, *parts, t); }}},
          .vocabulary = parts->vocabulary,
          .max_positions = parts->max_positions,
          .renames = {{parts->base + ".", ""}},
          .features = Entry{"forward", [parts](const Scope& root, const Step& t) { features(root, *parts, t); }},
          // What the families themselves do not call stale: a head is read whenever the class has it.
          .head = {"pre_classifier.*", "classifier.*", "qa_outputs.*", "head.*", "decoder.*", "pooler.*"}};
}

Value first_token_pool(const Scope& s, std::string_view name, const Step& t, Value x) {
  return tanh(s.project(name, first_of_each(t, x), x.dim(-1).number(), kBias));
}

Value transform(const Scope& s, Value x, const Transform& how) {
  return layer_norm(s[how.norm], activation(how.activation, s.project(how.dense, x, how.width, kBias)), how.epsilon);
}

Value vocabulary_logits(const Scope& table, const Scope& bias, Value x, int64_t vocabulary) {
  const Within here(table);
  return linear(x, table.weight({vocabulary, x.dim(-1)}), bias.floats("bias", {vocabulary}));
}

}  // namespace braid
