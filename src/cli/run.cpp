#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <random>

#include "cli/chat.h"
#include "cli/chat_flags.h"
#include "cli/generation_flags.h"
#include "cli/generation_json.h"
#include "cli/load.h"
#include "cli/texts.h"
#include "core/error.h"
#include "tasks/settings.h"

namespace braid::cli {
namespace {

constexpr int64_t kMaxTokens = 256;  // unless the user says otherwise, or the context leaves less

struct Arguments {
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

void declare(Flags& flags, Arguments& a) {
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

/// Drawn before anything runs, so that --json can name it.
uint64_t seed_of(const Arguments& a) { return a.seed ? static_cast<uint64_t>(*a.seed) : std::random_device()(); }

GenerateOptions generate_options(const Arguments& a, const LoadedModel& model) {
  GenerateOptions options;
  options.prompt = a.prompt.value_or("");
  options.prompt_ids = a.prompt_ids;
  options.settings = a.settings;
  options.seed = seed_of(a);
  options.stop = a.stop;
  options.ignore_eos = a.ignore_eos;
  options.logprobs = a.logprobs.value_or(-1);
  options.prompt_logprobs = a.prompt_logprobs.value_or(-1);
  if (a.max_tokens) {
    options.max_tokens = *a.max_tokens;
  } else {
    const auto prompt = static_cast<int64_t>(prompt_ids(model, options).size());
    if (!new_tokens(settings_of(a.settings, model.generation), prompt))
      options.max_tokens = std::clamp<int64_t>(model.program->options().context - prompt, 1, kMaxTokens);
  }
  return options;
}

void print_texts(Console& console, const GenerateResult& result) {
  console.print(result.text + "\n");
  for (const GeneratedText& text : result.others) console.print("---\n" + text.text + "\n");
}

/// Writes one prompt's text; streams it unless --json.
Answer write_one(Session& session, const Arguments& a, LoadedModel& model) {
  const GenerateOptions options = generate_options(a, model);
  const GenerationConfig settings = settings_of(options.settings, model.generation);
  Console& console = session.console;
  bool line_open = false;
  Waiting waiting(console, width_of(settings) > 1 ? "writing" : "reading the prompt");
  const GenerateResult result = generate(model, options, [&](std::string_view text) {
    if (!text.empty()) waiting.stop();
    if (!a.common.json && !text.empty() && width_of(settings) == 1) {
      console.print(text);
      console.flush();
      line_open = text.back() != '\n';
    }
    return !session.interrupt.requested();
  });
  waiting.stop();
  if (a.common.json)
    console.print(generation_json({result, settings, options, compute(*model.program)}));
  else if (width_of(settings) > 1)
    print_texts(console, result);
  else if (line_open)
    console.print("\n");
  console.flush();
  if (a.common.verbose) {
    console.note(settings_line(settings));
    console.note(timings_line(result));
  }
  return {.text = result.text, .status = result.finish_reason == FinishReason::cancelled ? kInterrupted : 0};
}

/// Line by line from a terminal: each is a prompt of its own.
int write_on_from_lines(Session& session, Arguments a, LoadedModel& model) {
  session.console.note(
      "this model has no chat template, so it writes on: type a beginning and press enter; Ctrl-D ends");
  session.console.print_aside("> ");
  for (std::string line; std::getline(std::cin, line);) {
    a.prompt = line;
    session.interrupt.end_at_once(false);
    if (!line.empty() && write_one(session, a, model).status != 0) return kInterrupted;
    session.interrupt.end_at_once(true);  // waiting for a line
    session.console.print_aside("> ");
  }
  session.console.print_aside("\n");
  return 0;
}

/// One answer, or a conversation on a terminal.
int converse(Session& session, Arguments a, LoadedModel& model, bool on_terminal) {
  std::deque<JsonDocument> documents;
  Conversation conversation(load_chat_template(a.model), a.conversation.options(documents));
  if (a.conversation.messages) conversation.load(*a.conversation.messages);
  if (a.system) conversation.set_system(*a.system);
  if (a.prompt) conversation.add("user", *a.prompt);
  const auto answer = [&](const std::vector<int32_t>& prompt) {
    a.prompt_ids = prompt;
    return write_one(session, a, model);
  };
  const Tokenizer& tokenizer = model.need_tokenizer();
  if (on_terminal) return chat_on_terminal(session, conversation, tokenizer, answer);
  return answer(conversation.prompt(tokenizer)).status;
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
  Arguments a;
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
