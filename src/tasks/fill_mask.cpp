#include "tasks/fill_mask.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace braid {
namespace {

/// A special token as files name it: a string, or an object with its content.
std::optional<std::string> named_token(const LoadedModel& model, const char* file, std::string_view key) {
  if (!model.place.has(file)) return {};
  const JsonDocument document = JsonDocument::read(model.place.path_of(file));
  const std::optional<Json> token = document.root().find(key);
  if (!token || token->is_null()) return {};
  return std::string((token->is_object() ? token->at("content") : *token).as_string());
}

std::vector<Filling> fillings(const LoadedModel& model, const Sequence& sequence, size_t mask,
                              std::span<const float> logits, int64_t top_k) {
  std::vector<float> scores(logits.begin(), logits.end());
  softmax(scores);
  std::vector<int32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const auto count = static_cast<size_t>(std::min<int64_t>(top_k, std::ssize(order)));
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(count), [&](int32_t a, int32_t b) {
    const float x = scores[static_cast<size_t>(a)], y = scores[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  });
  order.resize(count);
  std::vector<Filling> result;
  const bool alone = sequence.rows.size() == 1;  // else the other masks should be seen
  for (const int32_t token : order) {
    std::vector<int32_t> ids = sequence.encoding.ids;
    ids[static_cast<size_t>(sequence.rows[mask])] = token;
    result.push_back({.token = token,
                      .score = scores[static_cast<size_t>(token)],
                      .token_text = model.tokenizer->decode({&token, 1}),
                      .sequence = model.tokenizer->decode(ids, alone)});
  }
  return result;
}

}  // namespace

int32_t mask_token(const LoadedModel& model) {
  const Tokenizer& tokenizer = model.need_tokenizer();
  for (const char* file : {"tokenizer_config.json", "special_tokens_map.json"})
    if (const auto name = named_token(model, file, "mask_token"))
      if (const auto id = tokenizer.token_to_id(*name)) return *id;
  for (const std::string_view usual : {"[MASK]", "<mask>"})
    if (const auto id = tokenizer.token_to_id(usual)) return *id;
  throw Error("the tokenizer has no mask token", {.file = model.place.folder, .field = "mask_token", .offset = {}},
              "take a masked language model");
}

std::vector<std::vector<std::vector<Filling>>> fill_masks(LoadedModel& model, std::span<const std::string> texts,
                                                          int64_t top_k) {
  const int32_t mask = mask_token(model);
  const std::string name = *model.tokenizer->id_to_token(mask);
  std::vector<Sequence> sequences;
  for (const std::string& text : texts) {
    Sequence sequence{.encoding = model.tokenizer->encode(text)};
    check_length(model, sequence, sequences.size());
    for (size_t i = 0; i < sequence.encoding.ids.size(); ++i)
      if (sequence.encoding.ids[i] == mask) sequence.rows.push_back(static_cast<int32_t>(i));
    const std::string number = std::to_string(sequences.size() + 1);
    if (sequence.rows.empty())
      throw UsageError("text " + number + " has no mask", {}, "write " + name + " where one is");
    if (std::ssize(sequence.rows) > model.program->options().rows)
      throw UsageError("text " + number + " has " + std::to_string(sequence.rows.size()) + " masks, more than " +
                       std::to_string(model.program->options().rows));
    sequences.push_back(std::move(sequence));
  }
  std::vector<std::vector<std::vector<Filling>>> results(texts.size());
  run_sequences(*model.program, sequences, "logits", [&](const SequenceOutput& out) {
    const Sequence& sequence = sequences[out.index];
    const auto width = static_cast<size_t>(out.width);
    if (out.values.size() != width * sequence.rows.size())
      throw UsageError(model.program->model().architecture + " predicts no tokens", {}, "take a masked language model");
    for (size_t m = 0; m < sequence.rows.size(); ++m)
      results[out.index].push_back(fillings(model, sequence, m, out.values.subspan(m * width, width), top_k));
  });
  return results;
}

}  // namespace braid
