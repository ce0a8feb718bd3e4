#include "tasks/classify.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace braid {
namespace {

Scores scores_of(const Config& config, size_t labels, Scores wanted) {
  if (wanted != Scores::automatic) return wanted;
  const std::string problem = config.string_or("problem_type", "");
  if (problem == "regression") return Scores::none;
  if (problem == "multi_label_classification" || labels == 1) return Scores::sigmoid;
  return Scores::softmax;
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

/// Whether the config of a cross-encoder names no activation behind the logit.
bool scores_are_logits(const Config& config) {
  const std::optional<Json> own = config.find("sentence_transformers");
  std::string activation = config.string_or("sbert_ce_default_activation_function", "");
  if (own && own->is_object())
    if (const auto name = own->find("activation_fn"); name && name->is_string()) activation = name->as_string();
  return activation.ends_with("Identity");
}

}  // namespace

std::vector<std::string> label_names(const Config& config, size_t count) {
  std::vector<std::string> names = config.labels();
  for (size_t i = names.size(); i < count; ++i) names.push_back("LABEL_" + std::to_string(i));
  return names;
}

std::vector<std::vector<Label>> classify(LoadedModel& model, std::span<const std::string> texts,
                                         const ClassifyOptions& options) {
  std::vector<Sequence> sequences;
  for (const std::string& text : texts) {
    sequences.push_back({.encoding = model.need_tokenizer().encode(text)});
    check_length(model, sequences.back(), sequences.size() - 1);
  }
  std::vector<std::vector<Label>> results(texts.size());
  run_sequences(*model.program, sequences, "logits", [&](const SequenceOutput& out) {
    if (out.values.size() != static_cast<size_t>(out.width))
      throw UsageError(model.program->model().architecture + " classifies tokens, not texts");
    std::vector<float> scores(out.values.begin(), out.values.end());
    const Scores kind = scores_of(model.config, scores.size(), options.scores);
    if (kind == Scores::softmax) softmax(scores);
    if (kind == Scores::sigmoid) std::ranges::transform(scores, scores.begin(), sigmoid);
    const std::vector<std::string> names = label_names(model.config, scores.size());
    std::vector<Label>& labels = results[out.index];
    for (size_t i = 0; i < scores.size(); ++i) labels.push_back({names[i], scores[i]});
    std::ranges::stable_sort(labels, std::ranges::greater(), &Label::score);
    if (options.top_k > 0 && std::ssize(labels) > options.top_k) labels.resize(static_cast<size_t>(options.top_k));
  });
  return results;
}

std::vector<Ranked> rerank(LoadedModel& model, const std::string& query, std::span<const std::string> documents) {
  std::vector<Sequence> sequences;
  for (const std::string& document : documents)
    sequences.push_back(sequence_of(model, query, longest_text(model), document));
  const bool identity = scores_are_logits(model.config);
  std::vector<Ranked> ranked(documents.size());
  run_sequences(*model.program, sequences, "logits", [&](const SequenceOutput& out) {
    if (out.width != 1 || out.values.size() != 1)
      throw UsageError(
          model.program->model().architecture + " gives " + std::to_string(out.values.size()) + " scores for a pair",
          {.file = model.place.folder, .field = "num_labels", .offset = {}},
          "take a cross-encoder, which has one label");
    ranked[out.index] = {out.index, identity ? out.values[0] : sigmoid(out.values[0])};
  });
  std::ranges::stable_sort(ranked, std::ranges::greater(), &Ranked::score);
  return ranked;
}

}  // namespace braid
