#include "tasks/ner.h"

#include <algorithm>

#include "core/error.h"
#include "tasks/classify.h"

namespace braid {
namespace {

struct Tagged {
  size_t token;
  std::string_view tag;  // without its prefix
  bool begins;           // "B-"
  float score;
};

Tagged tagged(size_t token, std::string_view label, float score) {
  const bool prefixed = label.starts_with("B-") || label.starts_with("I-");
  return {token, prefixed ? label.substr(2) : label, label.starts_with("B-"), score};
}

/// "B-PER-x" → "PER-x": what follows the first hyphen, whatever stands before it.
std::string group_name(std::string_view label) {
  const size_t hyphen = label.find('-');
  return std::string(hyphen == std::string_view::npos ? label : label.substr(hyphen + 1));
}

Entity entity_of(const LoadedModel& model, const std::string& text, const Encoding& encoding,
                 std::span<const Tagged> tokens, std::string_view label) {
  Entity entity{.group = group_name(label)};
  std::vector<int32_t> ids;
  double sum = 0;
  bool unknown = false;
  for (const Tagged& t : tokens) {
    ids.push_back(encoding.ids[t.token]);
    unknown = unknown || model.tokenizer->is_special(ids.back());
    sum += t.score;
  }
  entity.score = static_cast<float>(sum / static_cast<double>(tokens.size()));
  entity.start = encoding.offsets[tokens.front().token].first;
  entity.end = encoding.offsets[tokens.back().token].second;
  // An unknown token says nothing: the text does.
  entity.word = unknown ? characters(text, entity.start, entity.end) : model.tokenizer->decode(ids);
  return entity;
}

}  // namespace

std::vector<std::vector<Entity>> find_entities(LoadedModel& model, std::span<const std::string> texts) {
  std::vector<Sequence> sequences;
  for (const std::string& text : texts) {
    sequences.push_back({.encoding = model.need_tokenizer().encode(text)});
    check_length(model, sequences.back(), sequences.size() - 1);
  }
  std::vector<std::vector<Entity>> results(texts.size());
  run_sequences(*model.program, sequences, "logits", [&](const SequenceOutput& out) {
    const Encoding& encoding = sequences[out.index].encoding;
    const auto width = static_cast<size_t>(out.width);
    if (out.values.size() != width * encoding.ids.size())
      throw UsageError(model.program->model().architecture + " classifies texts, not tokens");
    const std::vector<std::string> names = label_names(model.config, width);
    std::vector<Tagged> group;
    std::string_view first_label;
    const auto close = [&] {
      if (!group.empty() && group_name(first_label) != "O")
        results[out.index].push_back(entity_of(model, texts[out.index], encoding, group, first_label));
      group.clear();
    };
    std::vector<float> scores(width);
    for (size_t i = 0; i < encoding.ids.size(); ++i) {
      if (is_added(encoding, i)) continue;
      std::ranges::copy(out.values.subspan(i * width, width), scores.begin());
      softmax(scores);
      const auto best = static_cast<size_t>(std::ranges::max_element(scores) - scores.begin());
      const Tagged t = tagged(i, names[best], scores[best]);
      if (group.empty() || t.begins || t.tag != group.back().tag) {
        close();
        first_label = names[best];
      }
      group.push_back(t);
    }
    close();
  });
  return results;
}

}  // namespace braid
