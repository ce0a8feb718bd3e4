#include <unistd.h>

#include "cli/generation_flags.h"
#include "cli/texts.h"
#include "cli/writing.h"
#include "core/error.h"

namespace braid::cli {
namespace {

void declare(Flags& flags, Writing& a) {
  flags.positional("MODEL", a.model, "a model that writes text (books-4m)", "books-4m");
  flags.text("--prompt", a.prompt, "TEXT: the prompt");
  flags.text("--prompt-file", a.prompt_file, "FILE: read the prompt from it");
  flags.ids("--prompt-ids", a.prompt_ids, "1,2,3: the prompt as token ids, taken as they are");
  flags.integer("--max-tokens", a.max_tokens, "N: tokens to write (256, or what the context leaves)", {.least = 1});
  flags.heading("conversations (models with a chat template); without a prompt, on a terminal, line by line");
  flags.on_off("--chat", a.chat, "answer the prompt as a message; the flags below say so as well");
  flags.text("--system", a.system, "TEXT: what the conversation begins with");
  a.conversation.declare(flags);
  flags.heading("generation");
  flags.integer("--seed", a.seed, "N: the same seed gives the same text", {.least = 0});
  flags.texts("--stop", a.stop, "TEXT: end before this text (may be repeated)");
  flags.on_off("--ignore-eos", a.ignore_eos, "go on after an end-of-sequence token");
  flags.integer("--logprobs", a.logprobs, "N: log-probabilities of the tokens, and the N likeliest (with --json)",
                {.least = 0, .most = 1000});
  flags.integer("--prompt-logprobs", a.prompt_logprobs, "N: the same of the prompt's tokens",
                {.least = 0, .most = 1000});
  add_generation_flags(flags, a.settings);
  add_common_flags(flags, a.common);
}

std::string read_stdin() {
  std::string text;
  char chunk[4096];
  for (ssize_t n; (n = ::read(0, chunk, sizeof chunk)) > 0;) {
    text.append(chunk, static_cast<size_t>(n));
    if (text.size() > Limits().max_text_bytes) throw UsageError("the prompt on stdin is too long");
  }
  return text;
}

}  // namespace

int run(Session& session) {
  Writing a;
  Flags flags = session.flags();
  declare(flags, a);
  if (!session.parse(flags)) return 0;
  if (a.prompt.has_value() + a.prompt_file.has_value() + a.prompt_ids.has_value() > 1)
    throw UsageError("only one of --prompt, --prompt-file and --prompt-ids can be given");
  if ((a.logprobs || a.prompt_logprobs) && !a.common.json) throw UsageError("--logprobs needs --json");
  a.chat = a.chat || a.system || a.conversation.given();
  if (a.chat && a.prompt_ids) throw UsageError("a message is a text: --prompt-ids cannot be part of a conversation");
  if (a.prompt_file) a.prompt = read_whole_text(*a.prompt_file);
  const bool given = a.prompt || a.prompt_ids || a.conversation.messages;
  const bool interactive = !given && ::isatty(0) != 0;
  if (!given && !interactive) a.prompt = read_stdin();
  if (a.chat) load_chat_template(a.model);  // before the weights: a model without one is refused at once

  LoadOptions wanted = load_options(a.common, a.model);
  wanted.generation = a.settings;
  if (a.prompt_logprobs) wanted.rows = wanted.step_tokens;
  LoadedModel model = load(session, a.common, wanted);
  if (interactive && !a.chat) a.chat = has_chat_template(a.model);
  const int status = a.chat        ? converse(session, a, model, interactive)
                     : interactive ? write_on_from_lines(session, a, model)
                                   : write_one(session, a, model).status;
  report(session, a.common, *model.program);
  return status;
}

}  // namespace braid::cli
