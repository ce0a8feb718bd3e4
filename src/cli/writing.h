#pragma once
// What `run` does with a model: a text after a prompt, beginnings typed line by line, a conversation.

#include "cli/chat.h"
#include "cli/chat_flags.h"
#include "cli/load.h"
#include "files/generation_config.h"

namespace braid::cli {

/// The flags of `run`.
struct Writing {
  Common common;
  std::string model;
  std::optional<std::string> system;
  ChatFlags conversation;
  std::optional<std::string> prompt, prompt_file;
  std::optional<std::vector<int32_t>> prompt_ids;
  std::optional<int64_t> max_tokens, seed, logprobs, prompt_logprobs;
  GenerationConfig settings;
  std::vector<std::string> stop;
  bool chat = false, ignore_eos = false;
};

/// One prompt's text; streams it unless --json.
Answer write_one(Session& session, const Writing& a, LoadedModel& model);
/// Line by line from a terminal: each is a prompt of its own. Returns the exit status, as the next one does.
int write_on_from_lines(Session& session, Writing a, LoadedModel& model);
/// One answer, or a conversation on a terminal.
int converse(Session& session, Writing a, LoadedModel& model, bool on_terminal);

}  // namespace braid::cli
