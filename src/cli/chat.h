#pragma once
// `run --chat`: one answer, or a conversation on a terminal.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "tasks/chat.h"

namespace braid::cli {

/// Writes an answer to these ids as it comes; its text, and whether the user stopped it.
struct Answer {
  std::string text;
  int status = 0;  ///< kInterrupted when the user stopped it
};
using Answerer = std::function<Answer(const std::vector<int32_t>& prompt)>;

/// Questions from the terminal, answered one by one, until Ctrl-D or /exit. Errors of one answer are said and do not
/// end it.
int chat_on_terminal(Session& session, Conversation& conversation, const Tokenizer& tokenizer, const Answerer& answer);

}  // namespace braid::cli
