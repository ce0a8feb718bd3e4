#pragma once
// One text from another: translations and summaries by encoder-decoders. What the model's task_specific_params say of a
// task (the prefix, beams, how long a result may be) is honoured, as transformers' pipelines honour it.

#include <span>
#include <string>
#include <vector>

#include "tasks/generate.h"

namespace braid {

/// What a model calls a task: "translation_en_to_de", "summarization".
std::string translation_task(std::string_view from, std::string_view to);
inline constexpr std::string_view kSummarization = "summarization";

struct TextToText {
  std::string prefix = {};         ///< put before each text
  GenerationConfig settings = {};  ///< the task's own; generation_config.json fills the rest
};
/// From the config's task_specific_params, where it has this task; a model without such a section does one task only,
/// so its texts need no prefix. Throws UsageError listing the tasks of the model when it has others.
TextToText text_to_text(const std::string& model, std::string_view task);

/// `base` with room for as many of the texts as are rewritten at once, and for what comes of them.
LoadOptions rewriting_options(LoadOptions base, const TextToText& how, std::span<const std::string> texts);

/// Each text rewritten, several of like length at a time; with beams the best first. Throws UsageError when the model
/// has no encoder of tokens, Error when a step fails.
std::vector<std::vector<GeneratedText>> rewrite_texts(LoadedModel& model, std::span<const std::string> texts,
                                                      const TextToText& how, uint64_t seed = 0);

}  // namespace braid
