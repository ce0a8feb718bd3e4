#include "cli/writing.h"

#include <algorithm>
#include <iostream>
#include <random>

#include "cli/generation_json.h"
#include "core/error.h"
#include "tasks/settings.h"

namespace braid::cli {
namespace {

constexpr int64_t kMaxTokens = 256;  // unless the user says otherwise, or the context leaves less

/// Drawn before anything runs, so that --json can name it.
uint64_t seed_of(const Writing& a) { return a.seed ? static_cast<uint64_t>(*a.seed) : std::random_device()(); }

GenerateOptions generate_options(const Writing& a, const LoadedModel& model) {
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

}  // namespace

Answer write_one(Session& session, const Writing& a, LoadedModel& model) {
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

int write_on_from_lines(Session& session, Writing a, LoadedModel& model) {
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

int converse(Session& session, Writing a, LoadedModel& model, bool on_terminal) {
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

}  // namespace braid::cli
