#include "tasks/generate.h"

#include <chrono>

#include "core/error.h"
#include "engine/source.h"
#include "tasks/stop_strings.h"
#include "text/stream.h"
#include "text/tokenizer.h"

namespace braid {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

double per_second(int64_t tokens, double ms) { return ms > 0 ? static_cast<double>(tokens) * 1000 / ms : 0; }

/// Tokens as text: whole characters, up to a stop string. Without a tokenizer there is no text.
class TextStream {
 public:
  TextStream(const Tokenizer* tokenizer, const GenerateOptions& options, const TextCallback& show, std::string& text)
      : stops_(options.stop), show_(show), text_(text) {
    if (tokenizer != nullptr) decoder_.emplace(*tokenizer, true);
  }

  /// False when the text has ended.
  bool push(int32_t token) { return decoder_ ? show(stops_.push(decoder_->push(token))) && !stops_.stopped() : true; }
  /// The rest, at the end of the stream.
  void flush() {
    if (!decoder_ || cancelled_) return;
    show(stops_.push(decoder_->flush()));
    show(stops_.flush());
  }
  bool cancelled() const { return cancelled_; }
  bool stopped() const { return stops_.stopped(); }

 private:
  bool show(const std::string& text) {
    if (text.empty()) return true;
    text_ += text;
    if (show_ && !show_(text)) cancelled_ = true;
    return !cancelled_;
  }

  std::optional<StreamDecoder> decoder_;
  StopStrings stops_;
  const TextCallback& show_;
  std::string& text_;
  bool cancelled_ = false;
};

std::vector<int32_t> end_tokens(const LoadedModel& model, const GenerateOptions& options) {
  if (options.ignore_eos) return {};
  return {model.generation.eos_token_ids.begin(), model.generation.eos_token_ids.end()};
}

/// With the tokens that the model's generation_config never generates.
SamplingOptions sampling_of(const LoadedModel& model, const GenerateOptions& options) {
  SamplingOptions sampling = options.sampling;
  const std::vector<int64_t>& suppress = model.generation.suppress_tokens;
  sampling.suppress.insert(sampling.suppress.end(), suppress.begin(), suppress.end());
  return sampling;
}

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
int64_t tokens_left(const Program& program, const std::vector<int32_t>& prompt) {
  return std::max<int64_t>(1, program.options().context - static_cast<int64_t>(prompt.size()));
}

/// Compiles what the steps of this prompt need, so that no step is timed with it.
void compile_ahead(Program& program, int64_t prompt_tokens, int64_t source_tokens) {
  const int64_t step = program.options().step_tokens;
  if (program.has_entry("encode")) program.executable("encode", source_tokens);
  program.executable("decode", std::min(prompt_tokens, step));
  if (prompt_tokens > step && prompt_tokens % step != 0) program.executable("decode", prompt_tokens % step);
  program.executable("decode", 1);
}

}  // namespace

std::vector<int32_t> prompt_ids(const LoadedModel& model, const GenerateOptions& options) {
  if (options.prompt_ids) return *options.prompt_ids;
  return model.need_tokenizer().encode(options.prompt).ids;
}

GenerateResult generate(LoadedModel& model, const GenerateOptions& options, const TextCallback& on_text) {
  if (options.max_tokens < 0)
    throw UsageError("max_tokens " + std::to_string(options.max_tokens) + " is negative",
                     {.file = {}, .field = "max_tokens", .offset = {}}, "give a number from 1 on");
  if (!options.stop.empty()) model.need_tokenizer();
  Program& program = *model.program;
  GenerateResult result;
  TextStream text(model.tokenizer.get(), options, on_text, result.text);
  std::vector<int32_t> prompt = prompt_ids(model, options);
  result.prompt_tokens = static_cast<int64_t>(prompt.size());
  Tensor source = options.source;
  if (encodes_tokens(program)) {
    source = Tensor::of({result.prompt_tokens}, std::span<const int32_t>(prompt));
    prompt = decoder_prompt(model, prompt);
  }
  const auto begin = static_cast<int64_t>(prompt.size());

  Engine engine(program);
  std::string failure;
  Clock::time_point first, last;
  const std::vector<int32_t> ends = end_tokens(model, options);
  const int64_t most = options.max_tokens > 0 ? options.max_tokens : tokens_left(program, prompt);
  engine.submit({.prompt = std::move(prompt),
                 .sampling = sampling_of(model, options),
                 .max_tokens = most,
                 .stop_tokens = ends,
                 .source = source},
                [&](const TokenEvent& event) {
                  last = Clock::now();
                  if (result.token_ids.empty()) first = last;
                  result.finish_reason = event.finished;
                  failure = event.message;
                  if (!event.has_token) return false;
                  result.token_ids.push_back(event.token);
                  if (event.finished == FinishReason::stop) return false;  // an end-of-sequence token is no text
                  return text.push(event.token);
                });
  const Clock::time_point compiling = Clock::now();
  compile_ahead(program, begin, source && source.format == Format::i32 ? result.prompt_tokens : 0);
  const Clock::time_point start = Clock::now();
  engine.run();
  if (result.finish_reason == FinishReason::error) throw Error(failure);
  text.flush();
  // The callback ended a request that the engine would have gone on with, or that had come to its length just then.
  if (text.cancelled())
    result.finish_reason = FinishReason::cancelled;
  else if (text.stopped())
    result.finish_reason = FinishReason::stop;

  result.completion_tokens = static_cast<int64_t>(result.token_ids.size());
  GenerateTimings& timings = result.timings;
  timings.load_ms = model.load_ms + milliseconds(compiling, start);
  timings.prefill_ms = milliseconds(start, first);
  timings.decode_ms = milliseconds(first, last);
  timings.prefill_tokens_per_s = per_second(result.prompt_tokens, timings.prefill_ms);
  timings.decode_tokens_per_s = per_second(result.completion_tokens - 1, timings.decode_ms);
  return result;
}

}  // namespace braid
