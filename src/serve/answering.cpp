#include "serve/answering.h"

#include <algorithm>
#include <utility>

namespace braid::serve {

Answering::Answering(std::shared_ptr<Call> call, AnswerRequest request, std::unique_ptr<AnswerFormat> format)
    : call_(std::move(call)), request_(std::move(request)), format_(std::move(format)) {
  const auto n = static_cast<size_t>(request_.generation.n);
  texts_.resize(request_.prompts.size() * n);
  begun_.resize(request_.prompts.size());
  open_ = texts_.size();
  const Tokenizer* tokenizer = call_->service.model().model().tokenizer.get();
  for (size_t i = 0; i < texts_.size(); ++i) {
    texts_[i].part = {.index = i, .prompt = i / n, .first = true};
    streams_.emplace_back(tokenizer, request_.generation.options.stop, silent_, texts_[i].pending);
  }
  for (const std::vector<int32_t>& prompt : request_.prompts)
    usage_.prompt_tokens += static_cast<int64_t>(prompt.size());
}

void Answering::start() {
  const auto self = shared_from_this();
  std::vector<Submission> submissions;
  for (size_t i = 0; i < request_.prompts.size(); ++i) {
    GenerateOptions options = request_.generation.options;
    options.prompt_ids = request_.prompts[i];
    submissions.push_back({.options = std::move(options),
                           .callback = [self, i](const TokenEvent& event) { return self->take(i, event); }});
  }
  call_->service.metrics().prompt(static_cast<uint64_t>(usage_.prompt_tokens));
  EngineLoop& loop = call_->service.model().loop();
  loop.submit(std::move(submissions), [self, &loop](const Verdict& verdict) {
    if (verdict.refused) {
      try {
        std::rethrow_exception(verdict.refused);
      } catch (const std::exception& error) {
        self->fail(api_error(error));
      }
      return;
    }
    self->call_->reply().on_gone([&loop, tickets = verdict.tickets] {
      for (const Ticket ticket : tickets) loop.cancel(ticket);
    });
  });
}

void Answering::measure(Text& text, bool first) {
  const Clock::time_point now = Clock::now();
  const auto seconds = [&](Clock::time_point from) { return std::chrono::duration<double>(now - from).count(); };
  if (first)
    call_->service.metrics().first_token(seconds(call_->arrived));
  else if (text.last != Clock::time_point())
    call_->service.metrics().next_token(seconds(text.last));
  text.last = now;
}

bool Answering::take(size_t prompt, const TokenEvent& event) {
  if (failed_) return false;
  if (!event.has_token) {
    fail(event.finished == FinishReason::cancelled ? ApiError(503, "the request was cancelled", {}, "cancelled")
                                                   : ApiError(500, event.message));
    return false;
  }
  const size_t index = prompt * static_cast<size_t>(request_.generation.n) + static_cast<size_t>(event.text);
  Text& text = texts_[index];
  measure(text, !begun_[prompt]);
  begun_[prompt] = true;
  if (!event.prompt_logprobs.empty()) format_->take_prompt(prompt, event.prompt_logprobs);
  const bool more = write(text, streams_[index], event);
  if (!more) {
    --open_;
    if (open_ == 0) finish();
  }
  return more;
}

/// False when the text has ended.
bool Answering::write(Text& text, TextStream& stream, const TokenEvent& event) {
  AnswerPart& part = text.part;
  part.finished = event.finished;
  if (request_.no_text) {
    part.finished = FinishReason::length;
  } else {
    ++usage_.completion_tokens;
    part.token_ids.push_back(event.token);
    std::ranges::copy(event.logprobs, std::back_inserter(part.logprobs));
    // An end-of-sequence token is no text.
    if (event.finished != FinishReason::stop && !stream.push(event.token)) part.finished = FinishReason::stop;
    if (part.finished != FinishReason::none) stream.flush();
    part.stop_string = stream.stop_string();
    if (stream.stopped()) part.finished = FinishReason::stop;  // though it came to its length just then
  }
  part.text += std::exchange(text.pending, {});
  const bool over = part.finished != FinishReason::none;
  if (request_.generation.stream && (over || !part.text.empty())) {
    call_->stream(format_->part(part));
    part = {.index = part.index, .prompt = part.prompt};
  }
  return !over;
}

void Answering::finish() {
  if (request_.generation.stream) {
    call_->stream(format_->end(usage_));
    call_->end();
    return;
  }
  std::vector<AnswerPart> parts;
  for (Text& text : texts_) parts.push_back(std::move(text.part));
  call_->send_json(format_->whole(parts, usage_));
}

void Answering::fail(const ApiError& error) {
  failed_ = true;
  call_->fail(error);
}

void write_usage(JsonWriter& json, const AnswerUsage& usage) {
  json.key("usage").begin_object().member("prompt_tokens", usage.prompt_tokens);
  json.member("completion_tokens", usage.completion_tokens);
  json.member("total_tokens", usage.prompt_tokens + usage.completion_tokens);
  json.key("prompt_tokens_details").begin_object().member("cached_tokens", 0).end_object().end_object();
}

void write_finish(JsonWriter& json, FinishReason finished) {
  json.key("finish_reason");
  finished == FinishReason::none ? json.null() : json.value(braid::name(finished));
}

}  // namespace braid::serve
