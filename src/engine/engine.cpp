#include "engine/engine.h"

#include <algorithm>

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
          .pages = paged ? program.pages() : 0};
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
  Sampler sampler(std::move(request.sampling));
  if (program_.has_entry(kEncode) != static_cast<bool>(request.source))
    throw UsageError(request.source ? program_.model().architecture + " takes no source"
                                    : program_.model().architecture + " needs a source to write about",
                     {.file = {}, .field = "source", .offset = {}});
  if (request.source) check_source(request.source, program_);
  const size_t prompt_tokens = request.prompt.size();
  const RequestId id = scheduler_.add({std::move(request.prompt), request.max_tokens});
  active_.emplace(id, Active{std::move(sampler), prompt_tokens, std::move(request.stop_tokens),
                             std::move(request.source), std::move(callback)});
  return id;
}

void Engine::cancel(RequestId id) {
  const auto found = active_.find(id);
  if (found == active_.end() || !scheduler_.cancel(id)) return;
  const Active ended = std::move(found->second);
  active_.erase(found);
  ended.callback({.id = id, .finished = FinishReason::cancelled});
}

void Engine::encode(const Batch& batch) {
  for (const Span& span : batch.spans) {
    const Tensor& source = active_.at(span.id).source;
    if (!span.admitted || !source) continue;
    program_.run(kEncode, encode_step(program_.model(), source, span.slot));
  }
}

std::vector<Outcome> Engine::sample(const Batch& batch, const Tensor& logits,
                                    std::map<RequestId, std::string>& failures) {
  std::vector<Outcome> outcomes;
  const auto vocabulary = static_cast<size_t>(logits.last());
  for (const Span& span : batch.spans) {
    if (!span.sampled) continue;
    Active& active = active_.at(span.id);
    const std::vector<int32_t>& tokens = scheduler_.tokens(span.id);
    Outcome outcome;
    try {
      const std::span<const float> row(logits.data<float>() + outcomes.size() * vocabulary, vocabulary);
      outcome.token = active.sampler.sample(row, tokens, tokens.size() - active.prompt_tokens);
      outcome.stop = std::ranges::find(active.stop_tokens, outcome.token) != active.stop_tokens.end();
    } catch (const Error& error) {
      outcome.failed = true;
      failures[span.id] = error.line();
    }
    outcomes.push_back(outcome);
  }
  return outcomes;
}

void Engine::report(const Batch& batch, const std::vector<Outcome>& outcomes,
                    const std::map<RequestId, std::string>& failures) {
  size_t row = 0;
  std::map<RequestId, const Outcome*> outcome_of;
  for (const Span& span : batch.spans)
    if (span.sampled) outcome_of[span.id] = &outcomes[row++];
  for (const Progress& progress : scheduler_.commit(batch, outcomes)) {
    const auto found = active_.find(progress.id);
    if (found == active_.end()) continue;  // a callback of this very step cancelled it
    const auto outcome = outcome_of.find(progress.id);
    const auto failure = failures.find(progress.id);
    TokenEvent event{.id = progress.id, .finished = progress.finished};
    event.has_token = outcome != outcome_of.end() && !outcome->second->failed;
    if (event.has_token) event.token = outcome->second->token;
    if (failure != failures.end()) event.message = failure->second;
    const TokenCallback callback = found->second.callback;  // it may cancel, which erases the request
    if (event.finished != FinishReason::none) active_.erase(found);
    const bool more = callback(event);
    if (!more && event.finished == FinishReason::none && active_.erase(progress.id) > 0) scheduler_.cancel(progress.id);
  }
}

void Engine::fail(const Batch& batch, const std::string& message) {
  std::vector<Outcome> outcomes;
  std::map<RequestId, std::string> failures;
  for (const Span& span : batch.spans) {
    if (span.sampled) outcomes.push_back({.failed = true});
    failures[span.id] = message;
  }
  report(batch, outcomes, failures);
  for (const Span& span : batch.spans) {  // those in the middle of their prompts
    const auto found = active_.find(span.id);
    if (found == active_.end()) continue;
    const Active ended = std::move(found->second);
    active_.erase(found);
    scheduler_.cancel(span.id);
    ended.callback({.id = span.id, .finished = FinishReason::error, .message = message});
  }
}

bool Engine::step() {
  const Batch batch = scheduler_.next();
  if (batch.empty()) return false;
  std::map<RequestId, std::string> failures;
  std::vector<Outcome> outcomes;
  try {
    encode(batch);
    const std::vector<NamedTensor> outputs = program_.run(kDecode, step_data(batch, program_.max_pages()));
    outcomes = sample(batch, output(outputs, "logits"), failures);
  } catch (const std::exception& error) {
    fail(batch, error.what());
    return true;
  }
  report(batch, outcomes, failures);
  return true;
}

void Engine::run() {
  while (step()) {
  }
}

}  // namespace braid
