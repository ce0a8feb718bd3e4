#include "engine/scheduler.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "core/error.h"

namespace braid {
namespace {

/// 0 … count - 1, so that the last element is 0: low numbers are taken first.
std::vector<int32_t> free_list(int64_t count) {
  std::vector<int32_t> list(static_cast<size_t>(count));
  std::iota(list.rbegin(), list.rend(), 0);
  return list;
}

[[noreturn]] void refuse(std::string what, const char* field, std::string advice) {
  throw UsageError(std::move(what), {.file = {}, .field = field, .offset = {}}, std::move(advice));
}

}  // namespace

std::string_view name(FinishReason reason) {
  constexpr std::string_view kNames[] = {"", "stop", "length", "cancelled", "error"};
  return kNames[static_cast<size_t>(reason)];
}

Scheduler::Scheduler(const SchedulerLimits& limits)
    : limits_(limits), free_pages_(free_list(limits.pages)), free_slots_(free_list(limits.slots)) {}

int64_t Scheduler::pages_for(int64_t tokens) const {
  return limits_.page_size == 0 ? 0 : (tokens + limits_.page_size - 1) / limits_.page_size;
}

RequestId Scheduler::add(ScheduledRequest request) {
  const auto prompt = static_cast<int64_t>(request.prompt.size());
  if (prompt == 0) refuse("the prompt has no tokens", "prompt", "give at least one");
  if (request.max_tokens < 1)
    refuse("max_tokens " + std::to_string(request.max_tokens) + " is too small", "max_tokens",
           "give a number from 1 on");
  if (prompt > limits_.context - 1 || request.max_tokens > limits_.context - prompt) {
    const int64_t left = limits_.context - prompt;
    refuse("a prompt of " + std::to_string(prompt) + " tokens and max_tokens " + std::to_string(request.max_tokens) +
               " exceed the context of " + std::to_string(limits_.context),
           left > 0 ? "max_tokens" : "prompt",
           left > 0 ? "give max_tokens of at most " + std::to_string(left)
                    : "shorten the prompt to at most " + std::to_string(limits_.context - 1) + " tokens");
  }
  // The last token is returned, never run.
  const int64_t pages = pages_for(prompt + request.max_tokens - 1);
  if (pages > limits_.pages)
    refuse("the request needs " + std::to_string(pages) + " pages, the whole pool has " + std::to_string(limits_.pages),
           "max_tokens", "shorten the prompt or max_tokens");

  const RequestId id = ++last_id_;
  sequences_[id] = {.tokens = std::move(request.prompt), .last = prompt + request.max_tokens, .pages = {}};
  waiting_.push_back(id);
  return id;
}

bool Scheduler::cancel(RequestId id) {
  const auto found = sequences_.find(id);
  if (found == sequences_.end() || found->second.cancelled) return false;
  found->second.cancelled = true;
  if (!found->second.in_step) forget(id);  // else commit() does
  return true;
}

void Scheduler::forget(RequestId id) {
  std::erase(waiting_, id);
  std::erase(running_, id);
  release(sequences_.at(id));
  sequences_.erase(id);
}

bool Scheduler::reserve(Sequence& sequence, int64_t tokens) {
  const auto need = static_cast<size_t>(pages_for(tokens));
  if (need > sequence.pages.size() + free_pages_.size()) return false;
  while (sequence.pages.size() < need) {
    sequence.pages.push_back(free_pages_.back());
    free_pages_.pop_back();
  }
  return true;
}

void Scheduler::release(Sequence& sequence) {
  free_pages_.insert(free_pages_.end(), sequence.pages.rbegin(), sequence.pages.rend());
  sequence.pages.clear();
  if (sequence.slot >= 0) free_slots_.push_back(sequence.slot);
  sequence.slot = -1;
  sequence.seen = 0;
}

bool Scheduler::admit(RequestId id) {
  Sequence& sequence = sequences_.at(id);
  if (free_slots_.empty() || !reserve(sequence, static_cast<int64_t>(sequence.tokens.size()))) return false;
  sequence.slot = free_slots_.back();
  free_slots_.pop_back();
  sequence.fresh = true;
  return true;
}

void Scheduler::preempt(RequestId id) {
  release(sequences_.at(id));
  std::erase(running_, id);
  waiting_.push_front(id);  // it arrived before all that wait
  ++preemptions_;
}

void Scheduler::append(Batch& batch, RequestId id, int64_t tokens) {
  Sequence& s = sequences_.at(id);
  const auto first = s.tokens.begin() + s.seen;
  batch.spans.push_back({.id = id,
                         .slot = s.slot,
                         .context = s.seen,
                         .tokens = tokens,
                         .sampled = s.seen + tokens == static_cast<int64_t>(s.tokens.size()),
                         .admitted = s.fresh});
  batch.token_ids.insert(batch.token_ids.end(), first, first + tokens);
  batch.pages.emplace_back(s.pages.begin(), s.pages.begin() + pages_for(s.seen + tokens));
  s.fresh = false;
  s.in_step = true;
}

Batch Scheduler::next() {
  assert(!in_flight_);
  Batch batch;
  int64_t budget = limits_.step_tokens;
  const auto take = [&](RequestId id) {
    const Sequence& s = sequences_.at(id);
    const int64_t tokens = std::min(budget, static_cast<int64_t>(s.tokens.size()) - s.seen);
    append(batch, id, tokens);
    budget -= tokens;
  };
  // Oldest first. Only a sequence younger than this one is preempted, or itself: none that is in the batch already.
  for (size_t i = 0; i < running_.size() && budget > 0; ++i) {
    Sequence& s = sequences_.at(running_[i]);
    while (!reserve(s, static_cast<int64_t>(s.tokens.size()))) {
      preempt(running_.back());
      if (i == running_.size()) break;
    }
    if (i < running_.size()) take(running_[i]);
  }
  while (!waiting_.empty() && budget > 0 && admit(waiting_.front())) {
    running_.push_back(waiting_.front());
    waiting_.pop_front();
    take(running_.back());
  }
  in_flight_ = !batch.empty();
  return batch;
}

std::vector<Progress> Scheduler::commit(const Batch& batch, const std::vector<Outcome>& outcomes) {
  assert(in_flight_);
  in_flight_ = false;
  std::vector<Progress> progress;
  size_t row = 0;
  for (const Span& span : batch.spans) {
    Sequence& s = sequences_.at(span.id);
    s.in_step = false;
    s.seen += span.tokens;
    Progress p{.id = span.id};
    if (span.sampled) {
      const Outcome& outcome = outcomes.at(row++);
      if (!outcome.failed) s.tokens.push_back(outcome.token);
      p.finished = outcome.failed                                    ? FinishReason::error
                   : outcome.stop                                    ? FinishReason::stop
                   : static_cast<int64_t>(s.tokens.size()) == s.last ? FinishReason::length
                                                                     : FinishReason::none;
    }
    if (s.cancelled) p.finished = FinishReason::cancelled;
    if (span.sampled || s.cancelled) progress.push_back(p);
  }
  for (const Progress& p : progress)
    if (p.finished != FinishReason::none) forget(p.id);
  return progress;
}

}  // namespace braid
