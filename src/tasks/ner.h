#pragma once
// Names and other spans in texts: a token classifier's labels, adjacent tokens of one kind together.

#include <string>
#include <vector>

#include "tasks/texts.h"

namespace braid {

struct Entity {
  std::string group = {};      ///< the label without "B-" or "I-"
  float score = 0;             ///< mean over its tokens
  std::string word = {};       ///< its tokens as text
  int64_t start = 0, end = 0;  ///< in code points of the text
};
/// As transformers' pipeline gives them with aggregation_strategy="simple": tokens labelled "O" are left out, and "B-"
/// begins a new entity. Throws Error naming the text that the model cannot read.
std::vector<std::vector<Entity>> find_entities(LoadedModel& model, std::span<const std::string> texts);

}  // namespace braid
