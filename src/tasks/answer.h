#pragma once
// The part of a text that answers a question: a span head's best beginning and end.

#include <string>
#include <vector>

#include "tasks/texts.h"

namespace braid {

struct Answer {
  std::string text;            ///< of the context, whole words
  float score = 0;             ///< probability of its beginning times that of its end
  int64_t start = 0, end = 0;  ///< in code points of the context
};

struct AnswerOptions {
  int64_t top_k = 1;
  int64_t longest = 15;   ///< tokens of an answer
  int64_t window = 384;   ///< tokens read at once: question and a part of the context
  int64_t overlap = 128;  ///< tokens of the context that two windows share
};
/// The best answers in one context, as transformers' question-answering pipeline chose them: probabilities are over the
/// tokens of a window's context and its first token; a longer context is read in windows.
std::vector<Answer> find_answers(LoadedModel& model, const std::string& question, const std::string& context,
                                 const AnswerOptions& options = {});

}  // namespace braid
