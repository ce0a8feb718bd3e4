#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <random>

#include "cli/chat.h"
#include "cli/chat_flags.h"
#include "cli/load.h"
#include "core/error.h"
#include "core/file_map.h"
#include "tasks/generate.h"

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
  std::optional<int64_t> max_tokens, top_k, seed;
  std::optional<double> temperature, top_p, min_p, repetition_penalty;
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
  flags.heading("sampling; what is left out is as generation_config.json says where it samples, else greedy");
  flags.real("--temperature", a.temperature, "X: 0 takes the likeliest token", {.least = 0});
  flags.integer("--top-k", a.top_k, "N: among the N likeliest (0: all)", {.least = 0});
  flags.real("--top-p", a.top_p, "X: among the likeliest that together have this probability", {.least = 0, .most = 1});
  flags.real("--min-p", a.min_p, "X: among those at least X times as likely as the likeliest", {.least = 0, .most = 1});
  flags.real("--repetition-penalty", a.repetition_penalty, "X: divides the logits of tokens seen before", {.least = 0});
  flags.integer("--seed", a.seed, "N: the same seed gives the same text", {.least = 0});
  flags.texts("--stop", a.stop, "TEXT: end before this text (may be repeated)");
  flags.on_off("--ignore-eos", a.ignore_eos, "go on after an end-of-sequence token");
  add_common_flags(flags, a.common);
}

SamplingOptions sampling(const Arguments& a, const GenerationConfig& config) {
  const bool samples = config.do_sample.value_or(false);
  const bool filters = a.top_k || a.top_p || a.min_p;  // they mean nothing to a greedy choice
  SamplingOptions s;
  s.temperature = a.temperature.value_or(samples ? config.temperature.value_or(1.0) : filters ? 1.0 : 0.0);
  s.top_k = a.top_k.value_or(samples ? config.top_k.value_or(0) : 0);
  s.top_p = a.top_p.value_or(samples ? config.top_p.value_or(1.0) : 1.0);
  s.min_p = a.min_p.value_or(samples ? config.min_p.value_or(0.0) : 0.0);
  s.repetition_penalty = a.repetition_penalty.value_or(config.repetition_penalty.value_or(1.0));
  s.seed = a.seed ? static_cast<uint64_t>(*a.seed) : std::random_device()();
  return s;
}

GenerateOptions generate_options(const Arguments& a, const LoadedModel& model) {
  GenerateOptions options;
  options.prompt = a.prompt.value_or("");
  options.prompt_ids = a.prompt_ids;
  options.sampling = sampling(a, model.generation);
  options.stop = a.stop;
  options.ignore_eos = a.ignore_eos;
  if (a.max_tokens) {
    options.max_tokens = *a.max_tokens;
  } else {
    const auto prompt = static_cast<int64_t>(prompt_ids(model, options).size());
    options.max_tokens = std::clamp<int64_t>(model.program->options().context - prompt, 1, kMaxTokens);
  }
  return options;
}

std::string json_of(const GenerateResult& r, const SamplingOptions& sampling, const std::string& compute) {
  JsonWriter json;
  json.begin_object().list("token_ids", std::span<const int32_t>(r.token_ids)).member("text", r.text);
  json.member("prompt_tokens", r.prompt_tokens).member("completion_tokens", r.completion_tokens);
  json.member("finish_reason", name(r.finish_reason)).key("timings").begin_object();
  json.member("load_ms", r.timings.load_ms).member("prefill_ms", r.timings.prefill_ms);
  json.member("decode_ms", r.timings.decode_ms).member("prefill_tokens_per_s", r.timings.prefill_tokens_per_s);
  json.member("decode_tokens_per_s", r.timings.decode_tokens_per_s).end_object();
  json.member("seed", sampling.seed).member("compute", compute);
  return json.end_object().text() + "\n";
}

std::string timings_line(const GenerateResult& r) {
  char line[256];
  std::snprintf(
      line, sizeof line,
      "load %.0f ms; prompt of %lld tokens in %.1f ms (%.0f tokens/s); %lld tokens in %.1f ms (%.1f tokens/s); %s",
      r.timings.load_ms, static_cast<long long>(r.prompt_tokens), r.timings.prefill_ms, r.timings.prefill_tokens_per_s,
      static_cast<long long>(r.completion_tokens), r.timings.decode_ms, r.timings.decode_tokens_per_s,
      std::string(name(r.finish_reason)).c_str());
  return line;
}

/// Writes one text; streams it unless --json.
Answer write_one(Session& session, const Arguments& a, LoadedModel& model) {
  const GenerateOptions options = generate_options(a, model);
  Console& console = session.console;
  bool line_open = false;
  Waiting waiting(console, "reading the prompt");
  const GenerateResult result = generate(model, options, [&](std::string_view text) {
    waiting.stop();
    if (!a.common.json && !text.empty()) {
      console.print(text);
      console.flush();
      line_open = text.back() != '\n';
    }
    return !session.interrupt.requested();
  });
  if (a.common.json)
    console.print(json_of(result, options.sampling, compute(*model.program)));
  else if (line_open)
    console.print("\n");
  console.flush();
  if (a.common.verbose) console.note(timings_line(result));
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
  a.chat = a.chat || a.system || a.conversation.given();
  if (a.chat && a.prompt_ids) throw UsageError("a message is a text: --prompt-ids cannot be part of a conversation");
  if (a.prompt_file) a.prompt = read_text_file(*a.prompt_file, Limits().max_text_bytes);
  const bool given = a.prompt || a.prompt_ids || a.conversation.messages;
  const bool interactive = !given && ::isatty(0) != 0;
  if (!given && !interactive) a.prompt = read_stdin();
  if (a.chat) load_chat_template(a.model);  // before the weights: a model without one is refused at once

  LoadedModel model = load(session, a.common, load_options(a.common, a.model));
  if (interactive && !a.chat) a.chat = has_chat_template(a.model);
  const int status = a.chat        ? converse(session, a, model, interactive)
                     : interactive ? write_on_from_lines(session, a, model)
                                   : write_one(session, a, model).status;
  report(session, a.common, *model.program);
  return status;
}

}  // namespace braid::cli
