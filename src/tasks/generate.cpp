#include "tasks/generate.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "engine/source.h"
#include "tasks/settings.h"
#include "tasks/written_texts.h"
#include "text/tokenizer.h"

namespace braid {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

double per_second(int64_t tokens, double ms) { return ms > 0 ? static_cast<double>(tokens) * 1000 / ms : 0; }

/// What the decoder begins with. Where an encoder reads tokens, they are its source, and the decoder begins with one
/// token that the config names.
std::vector<int32_t> decoder_prompt(const LoadedModel& model, const std::vector<int32_t>& prompt) {
  if (!encodes_tokens(*model.program)) return prompt;
  const GenerationConfig& config = model.generation;
  const std::optional<int64_t> first =
      config.decoder_start_token_id ? config.decoder_start_token_id : config.bos_token_id;
  if (!first)
    throw Error("the decoder's first token is not known",
                {.file = model.place.folder, .field = "decoder_start_token_id", .offset = {}},
                "add it to generation_config.json");
  return {static_cast<int32_t>(*first)};
}

/// What is left of the context. A prompt that fills it keeps one, so that the scheduler refuses it with its numbers.
int64_t tokens_left(const Program& program, size_t prompt) {
  return std::max<int64_t>(1, program.options().context - static_cast<int64_t>(prompt));
}

/// Compiles what the steps of this prompt need, so that no step is timed with it.
void compile_ahead(Program& program, int64_t prompt_tokens, int64_t source_tokens, int64_t width) {
  const int64_t step = program.options().step_tokens;
  if (program.has_entry("encode")) program.executable("encode", source_tokens);
  program.executable("decode", std::min(prompt_tokens, step));
  if (prompt_tokens > step && prompt_tokens % step != 0) program.executable("decode", prompt_tokens % step);
  program.executable("decode", width);
}

void check(const GenerateOptions& options, const DecodingOptions& decoding) {
  const auto refuse = [](std::string what, const char* field, const char* advice) {
    throw UsageError(std::move(what), {.file = {}, .field = field, .offset = {}}, advice);
  };
  if (options.max_tokens < 0)
    refuse("max_tokens " + std::to_string(options.max_tokens) + " is negative", "max_tokens",
           "give a number from 1 on");
  if (decoding.beams > 1 && !options.stop.empty())
    refuse("stop strings do not end beams", "stop", "give end-of-sequence tokens, or num_beams 1");
}

}  // namespace

std::vector<int32_t> prompt_ids(const LoadedModel& model, const GenerateOptions& options) {
  if (options.prompt_ids) return *options.prompt_ids;
  return model.need_tokenizer().encode(options.prompt).ids;
}

GenerateRequest request_of(const LoadedModel& model, const GenerateOptions& options) {
  const GenerationConfig settings = settings_of(options.settings, model.generation);
  GenerateRequest request{.prompt = prompt_ids(model, options),
                          .decoding = decoding_options(settings, options.seed),
                          .prompt_logprobs = options.prompt_logprobs,
                          .source = options.source};
  request.decoding.logprobs = options.logprobs;
  if (options.ignore_eos) request.decoding.sampling.ends.clear();
  check(options, request.decoding);
  if (encodes_tokens(*model.program)) {
    request.source = Tensor::of({std::ssize(request.prompt)}, std::span<const int32_t>(request.prompt));
    request.prompt = decoder_prompt(model, request.prompt);
  }
  const int64_t left = tokens_left(*model.program, request.prompt.size());
  const int64_t wanted = new_tokens(settings, std::ssize(request.prompt)).value_or(left);
  request.max_tokens = options.max_tokens > 0 ? options.max_tokens : std::clamp<int64_t>(wanted, 1, left);
  return request;
}

GenerateResult generate(LoadedModel& model, const GenerateOptions& options, const TextCallback& on_text) {
  GenerateRequest request = request_of(model, options);
  if (!options.stop.empty()) model.need_tokenizer();
  Program& program = *model.program;
  const int64_t width = request.decoding.width(), begin = std::ssize(request.prompt);
  const int64_t source = request.source && request.source.format == Format::i32 ? request.source.elements() : 0;
  GenerateResult result;
  result.prompt_tokens = source > 0 ? source : begin;

  Engine engine(program);
  Texts texts(model, options, request.decoding.sequences, on_text);
  const RequestId id = engine.submit(std::move(request), [&](const TokenEvent& event) { return texts.take(event); });
  const Clock::time_point compiling = Clock::now();
  compile_ahead(program, begin, source, width);
  const Clock::time_point start = Clock::now();
  bool cancelled = false;
  int64_t left_to_read = begin;
  while (engine.step()) {
    left_to_read -= program.options().step_tokens;
    if (left_to_read <= 0) texts.begun();
    if (width > 1 && on_text && !cancelled && !on_text({})) {
      cancelled = true;
      engine.cancel(id);
    }
  }
  if (texts.failed()) throw Error(texts.failure);
  std::vector<GeneratedText> written = texts.finish(cancelled);
  static_cast<GeneratedText&>(result) = std::move(written.front());
  result.others.assign(std::make_move_iterator(written.begin() + 1), std::make_move_iterator(written.end()));

  result.completion_tokens = static_cast<int64_t>(result.token_ids.size());
  for (const GeneratedText& text : result.others)
    result.completion_tokens += static_cast<int64_t>(text.token_ids.size());
  result.prompt_logprobs = std::move(texts.prompt_logprobs);
  GenerateTimings& timings = result.timings;
  timings.load_ms = model.load_ms + milliseconds(compiling, start);
  timings.prefill_ms = milliseconds(start, texts.first);
  timings.decode_ms = milliseconds(texts.first, texts.last);
  timings.prefill_tokens_per_s = per_second(result.prompt_tokens, timings.prefill_ms);
  timings.decode_tokens_per_s = per_second(result.completion_tokens - 1, timings.decode_ms);
  return result;
}

}  // namespace braid
