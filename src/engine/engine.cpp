#include "engine/engine.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "engine/batch.h"
#include "engine/source.h"

namespace braid {
namespace {

constexpr std::string_view kDecode = "decode", kEncode = "encode";

SchedulerLimits limits_of(Program& program) {
  if (!program.has_entry(kDecode))
    throw UsageError(program.model().architecture + " does not generate text", {},
                     "take a causal or an encoder-decoder model");
  const bool paged = program.keeps(kDecode, Lifetime::token);
  return {.context = program.options().context,
          .step_tokens = program.options().step_tokens,
          .slots = program.slots(),
          .page_size = paged ? program.page_size() : 0,
          .pages = paged ? program.pages() : 0,
          .window = program.window(),
          .window_pages = program.window_pages(),
          .rows = program.options().rows};
}

const Tensor& output(const std::vector<NamedTensor>& outputs, std::string_view name) {
  const auto found = std::ranges::find(outputs, name, &NamedTensor::name);
  if (found == outputs.end())
    throw Error("the entry has no such output", {.file = {}, .field = std::string(name), .offset = {}});
  return found->tensor;
}

}  // namespace

Engine::Engine(Program& program) : program_(program), scheduler_(limits_of(program)) {}

RequestId Engine::submit(GenerateRequest request, TokenCallback callback) {
  check_tokens(request.prompt, program_.model().vocabulary);
  const DecodingOptions& options = request.decoding;
  const int64_t width = options.width(), texts = options.beams > 1 ? 1 : options.sequences;
  std::unique_ptr<Decoding> decoding = make_decoding(options);
  if (program_.has_entry(kEncode) != static_cast<bool>(request.source))
    throw UsageError(request.source ? program_.model().architecture + " takes no source"
                                    : program_.model().architecture + " needs a source to write about",
                     {.file = {}, .field = "source", .offset = {}});
  if (request.source) check_source(request.source, program_);
  if (request.prompt_logprobs < -1)
    throw UsageError("prompt_logprobs is negative", {.file = {}, .field = "prompt_logprobs", .offset = {}},
                     "give 0 or more");
  Active active{
      .decoding = std::move(decoding),
      .open = texts,
      .alone = width == 1,
      .shape = {.prompt = request.prompt.size(),
                .last = request.prompt.size() + static_cast<size_t>(std::max<int64_t>(0, request.max_tokens))},
      .source_tokens = {},
      .prompt_top = request.prompt_logprobs,
      .source = std::move(request.source),
      .callback = std::move(callback)};
  // What "encoder" settings look at, where a model has no encoder, is the prompt.
  if (!active.source) {
    active.source_tokens = request.prompt;
  } else if (active.source.format == Format::i32) {
    const auto* ids = active.source.data<int32_t>();
    active.source_tokens.assign(ids, ids + active.source.elements());
  }
  const RequestId id = scheduler_.add({.prompt = std::move(request.prompt),
                                       .max_tokens = request.max_tokens,
                                       .sequences = width,
                                       .prompt_logits = request.prompt_logprobs >= 0});
  active_.emplace(id, std::move(active));
  return id;
}

void Engine::cancel(RequestId id) {
  const auto found = active_.find(id);
  if (found == active_.end() || !scheduler_.cancel(id)) return;
  tell(id, {.id = id, .finished = FinishReason::cancelled, .over = true});
}

void Engine::encode(const Batch& batch) {
  for (const Span& span : batch.spans) {
    const Tensor& source = active_.at(span.id).source;
    if (!span.admitted || !source) continue;
    program_.run(kEncode, encode_step(program_.model(), source, span.source_slot));
  }
}

/// The logits of a token say how likely the next one was.
void Engine::score_prompt(const Span& span, std::span<const float> rows, size_t vocabulary) {
  Active& active = active_.at(span.id);
  const std::vector<int32_t>& tokens = scheduler_.tokens(span.id, span.sequence);
  for (int64_t r = 0; r < span.rows; ++r) {
    const auto next = static_cast<size_t>(span.context + span.tokens - span.rows + r + 1);
    if (next >= active.shape.prompt || next != active.prompt_logprobs.size() + 1) continue;
    active.prompt_logprobs.push_back(
        token_logprob(rows.subspan(static_cast<size_t>(r) * vocabulary, vocabulary), tokens[next], active.prompt_top));
  }
}

Engine::Results Engine::decode(const Batch& batch, const Tensor& logits) {
  Results results;
  const auto vocabulary = static_cast<size_t>(logits.last());
  const std::span<const float> all(logits.data<float>(), static_cast<size_t>(logits.elements()));
  std::vector<DecodingRow> rows;  // of one request
  size_t row = 0;
  for (size_t i = 0; i < batch.spans.size(); ++i) {
    const Span& span = batch.spans[i];
    Active& active = active_.at(span.id);
    const auto count = static_cast<size_t>(span.rows);
    if (active.prompt_top >= 0) score_prompt(span, all.subspan(row * vocabulary, count * vocabulary), vocabulary);
    row += count;
    if (!span.sampled) continue;
    TokenHistory history = active.shape;
    history.tokens = scheduler_.tokens(span.id, span.sequence);
    history.source = active.source_tokens;
    rows.push_back({all.subspan((row - 1) * vocabulary, vocabulary), history});
    if (i + 1 < batch.spans.size() && batch.spans[i + 1].id == span.id) continue;
    Outcome outcome;
    try {
      Decoding::Advance advance = active.decoding->advance(rows);
      if (active.alone) {
        outcome.token = advance.written.at(0).token;
        outcome.stop = advance.written.at(0).finished == FinishReason::stop;
      } else {
        outcome.next = advance.next;
      }
      results.advances[span.id] = std::move(advance);
    } catch (const Error& error) {
      outcome.failed = true;
      results.failures[span.id] = error.line();
    }
    results.outcomes.push_back(std::move(outcome));
    rows.clear();
  }
  return results;
}

/// Calls the request's callback, which may cancel the request. Returns whether it wants more.
bool Engine::tell(RequestId id, TokenEvent event) {
  const auto found = active_.find(id);
  if (found == active_.end()) return false;
  const TokenCallback callback = found->second.callback;  // outlives the request
  if (event.has_token) event.prompt_logprobs = std::exchange(found->second.prompt_logprobs, {});
  if (event.over) active_.erase(found);
  return callback(event);
}

void Engine::deliver(RequestId id, Decoding::Advance advance, FinishReason finished) {
  const auto going_on = [&] { return active_.find(id); };
  for (size_t i = 0; i < advance.written.size(); ++i) {
    WrittenToken& w = advance.written[i];
    const auto active = going_on();
    if (active == active_.end()) return;  // a callback of this very step cancelled it
    const bool over = finished != FinishReason::none && i + 1 == advance.written.size();
    const bool more = tell(id, {.id = id,
                                .text = w.text,
                                .has_token = true,
                                .token = w.token,
                                .finished = w.finished,
                                .over = over,
                                .logprobs = std::move(w.logprobs)});
    const auto after = going_on();
    if (after == active_.end()) return;
    if (!more && w.finished == FinishReason::none) after->second.decoding->end(w.text);
    if (!more || w.finished != FinishReason::none) --after->second.open;
    if (after->second.open > 0 || finished != FinishReason::none) continue;
    active_.erase(after);  // nobody reads on
    scheduler_.cancel(id);
    return;
  }
  const auto active = going_on();
  if (active == active_.end() || finished == FinishReason::none) return;
  std::vector<Hypothesis> found = active->second.decoding->found();
  const FinishReason best = found.empty() ? finished : found.front().finished;
  TokenEvent event{.id = id, .finished = best, .over = true, .found = std::move(found)};
  event.prompt_logprobs = std::move(active->second.prompt_logprobs);
  tell(id, std::move(event));
}

void Engine::report(const Batch& batch, Results results) {
  for (const Progress& progress : scheduler_.commit(batch, results.outcomes)) {
    const auto failure = results.failures.find(progress.id);
    if (progress.finished == FinishReason::cancelled) continue;  // its callback knows
    if (progress.finished == FinishReason::error)
      tell(progress.id, {.id = progress.id,
                         .finished = FinishReason::error,
                         .over = true,
                         .message = failure == results.failures.end() ? "" : failure->second});
    else
      deliver(progress.id, std::move(results.advances[progress.id]), progress.finished);
  }
}

void Engine::fail(const Batch& batch, const std::string& message) {
  Results results;
  std::vector<RequestId> ids;
  for (const Span& span : batch.spans) {
    if (!ids.empty() && ids.back() == span.id) continue;
    ids.push_back(span.id);
    if (span.sampled) results.outcomes.push_back({.failed = true});
    results.failures[span.id] = message;
  }
  report(batch, std::move(results));
  for (const RequestId id : ids) {  // those in the middle of their prompts
    if (!active_.contains(id)) continue;
    scheduler_.cancel(id);
    tell(id, {.id = id, .finished = FinishReason::error, .over = true, .message = message});
  }
}

bool Engine::step() {
  const Batch batch = scheduler_.next();
  if (batch.empty()) return false;
  Results results;
  try {
    program_.copy(batch.copies);
    encode(batch);
    const std::vector<NamedTensor> outputs = program_.run(kDecode, step_data(batch, program_.max_pages()));
    results = decode(batch, output(outputs, "logits"));
  } catch (const std::exception& error) {
    fail(batch, error.what());
    return true;
  }
  report(batch, std::move(results));
  return true;
}

void Engine::run() {
  while (step()) {
  }
}

}  // namespace braid
