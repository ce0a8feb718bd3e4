#pragma once
// What the commands share that make a text of another one.

#include "cli/texts.h"
#include "files/generation_config.h"

namespace braid::cli {

struct Rewriting {
  Common common;
  std::string model;
  Texts given;
  GenerationConfig settings = {};  ///< over those of the task, over those of the model
  int64_t seed = 0;
};
/// `model` and `text` say in --help what they are.
void add_rewriting_flags(Flags& flags, Rewriting& what, std::string_view model, std::string_view text);
/// Texts rewritten by a task of a model's: the best of each, a line each, or {"results": [{"text", "token_ids",
/// "finish_reason", "score" of beams, "others" of several}]}. Returns the exit status.
int rewrite_all(Session& session, const Rewriting& what, std::string_view task);

}  // namespace braid::cli
