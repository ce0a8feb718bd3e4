#include "tasks/rewrite_text.h"

#include <algorithm>

#include "core/error.h"
#include "engine/source.h"

namespace braid {
namespace {

constexpr int64_t kMaxTokens = 256;  // where the model does not say

}  // namespace

std::string translation_task(std::string_view from, std::string_view to) {
  return "translation_" + std::string(from) + "_to_" + std::string(to);
}

TextToText text_to_text(const LoadedModel& model, std::string_view task) {
  TextToText how{.prefix = {}, .max_tokens = kMaxTokens};
  const std::optional<Json> tasks = model.config.find("task_specific_params");
  if (tasks && tasks->is_object() && tasks->size() > 0) {
    if (!tasks->find(task)) {
      std::string known;
      for (size_t i = 0; i < tasks->size(); ++i) known += (i == 0 ? "" : ", ") + std::string(tasks->key(i));
      throw UsageError("the model does not know the task " + std::string(task),
                       {.file = model.config.file(), .field = "task_specific_params", .offset = {}}, "it has " + known);
    }
    const Config own = model.config.section("task_specific_params").section(task);
    how.prefix = own.string_or("prefix", "");
    how.max_tokens = own.size_or("max_length", kMaxTokens);
  }
  // The first token is the decoder's own.
  how.max_tokens = std::min(how.max_tokens, model.program->options().context - 1);
  return how;
}

std::vector<std::string> rewrite_texts(LoadedModel& model, std::span<const std::string> texts, const TextToText& how) {
  if (!encodes_tokens(*model.program))
    throw UsageError(model.program->model().architecture + " has no encoder of text", {},
                     "take an encoder-decoder such as T5 or BART");
  std::vector<std::string> results;
  for (const std::string& text : texts)
    results.push_back(generate(model, {.prompt = how.prefix + text, .max_tokens = how.max_tokens}).text);
  return results;
}

}  // namespace braid
