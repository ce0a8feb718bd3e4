#pragma once
// One text from another: translations and summaries by encoder-decoders. What the model's task_specific_params say of a
// task (the prefix, how long a result may be) is honoured.

#include <span>
#include <string>
#include <vector>

#include "tasks/generate.h"

namespace braid {

/// What a model calls a task: "translation_en_to_de", "summarization".
std::string translation_task(std::string_view from, std::string_view to);
inline constexpr std::string_view kSummarization = "summarization";

struct TextToText {
  std::string prefix;      ///< put before each text
  int64_t max_tokens = 0;  ///< of a result
};
/// From the config's task_specific_params, where it has this task; a model without such a section does one task only,
/// so its texts need no prefix. Throws UsageError listing the tasks of the model when it has others.
TextToText text_to_text(const LoadedModel& model, std::string_view task);

/// Each text rewritten, the likeliest token at each step. Throws UsageError when the model has no encoder of tokens.
std::vector<std::string> rewrite_texts(LoadedModel& model, std::span<const std::string> texts, const TextToText& how);

}  // namespace braid
