#include "engine/scheduler.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "core/error.h"

namespace braid {
namespace {

constexpr size_t kContext = static_cast<size_t>(PageGroup::context), kWindow = static_cast<size_t>(PageGroup::window);

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

[[noreturn]] void refuse(std::string what, const char* field, std::string advice) {
  throw UsageError(std::move(what), {.file = {}, .field = field, .offset = {}}, std::move(advice));
}

void check_fits(int64_t needed, int64_t pages, const char* pool) {
  if (needed > pages)
    refuse(
        "the request needs " + std::to_string(needed) + " pages, the whole " + pool + " has " + std::to_string(pages),
        "max_tokens", "shorten the prompt or max_tokens, or ask for fewer sequences");
}

}  // namespace

std::string_view name(FinishReason reason) {
  constexpr std::string_view kNames[] = {"", "stop", "length", "cancelled", "error"};
  return kNames[static_cast<size_t>(reason)];
}

Scheduler::Scheduler(const SchedulerLimits& limits)
    : limits_(limits),
      pools_{PagePool(limits.pages), PagePool(limits.window_pages)},
      free_slots_(static_cast<size_t>(limits.slots)) {
  std::iota(free_slots_.rbegin(), free_slots_.rend(), 0);  // low numbers are taken first
}

bool Scheduler::has(size_t group) const {
  if (limits_.page_size == 0) return false;
  return group == kWindow ? limits_.window > 0 : limits_.pages > 0 || limits_.window == 0;
}

int64_t Scheduler::pages_for(int64_t tokens) const {
  return limits_.page_size == 0 ? 0 : ceil_div(tokens, limits_.page_size);
}

// ---- requests

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
  int64_t together = std::min(limits_.slots, limits_.step_tokens);
  if (limits_.rows > 0) together = std::min(together, limits_.rows);
  if (request.sequences < 1 || request.sequences > together)
    refuse(std::to_string(request.sequences) + " sequences cannot run in one step", "sequences",
           "give a number between 1 and " + std::to_string(together));
  const int64_t run = prompt + request.max_tokens - 1;  // the last token is returned, never run
  if (has(kContext)) check_fits(request.sequences * pages_for(run), limits_.pages, "pool");
  if (has(kWindow))
    check_fits(window_pages({.sequences = request.sequences,
                             .window = limits_.window,
                             .step_tokens = std::min(limits_.step_tokens, request.sequences * run),
                             .page_size = limits_.page_size,
                             .context = run}),
               limits_.window_pages, "pool of windows");

  const RequestId id = ++last_id_;
  Request& added = requests_[id];
  added.sequences.push_back({.tokens = std::move(request.prompt)});
  added.prompt = prompt;
  added.last = prompt + request.max_tokens;
  added.most = request.sequences;
  added.scored = request.prompt_logits ? 0 : prompt;
  waiting_.push_back(id);
  return id;
}

bool Scheduler::cancel(RequestId id) {
  const auto found = requests_.find(id);
  if (found == requests_.end() || found->second.cancelled) return false;
  found->second.cancelled = true;
  if (!found->second.in_step) forget(id);  // else commit() does
  return true;
}

void Scheduler::forget(RequestId id) {
  std::erase(waiting_, id);
  std::erase(running_, id);
  release(requests_.at(id));
  requests_.erase(id);
}

// ---- pages and slots

int64_t Scheduler::reach(const Sequence& sequence, size_t group, int64_t tokens) const {
  // Whole contexts are reserved for all known tokens at once, so that what was admitted can be read in.
  return group == kContext ? static_cast<int64_t>(sequence.tokens.size()) : sequence.seen + tokens;
}

void Scheduler::leave_window(Sequence& sequence) {
  const int64_t first_seen = sequence.seen - limits_.window + 1;  // of all that the next token sees
  std::vector<int32_t>& pages = sequence.pages[kWindow];
  const int64_t gone = std::min<int64_t>(first_seen / limits_.page_size, static_cast<int64_t>(pages.size()));
  for (int64_t p = gone - 1; p >= 0 && pages[static_cast<size_t>(p)] >= 0; --p) {
    pools_[kWindow].release(pages[static_cast<size_t>(p)]);
    pages[static_cast<size_t>(p)] = -1;
  }
}

bool Scheduler::reserve(Request& request, const std::vector<int64_t>& tokens, Copies& copies) {
  struct Wanted {
    size_t group, sequence;
    int64_t first;  // the page that is written first, when it is there already and must be copied; else -1
    int64_t more;   // pages at the end
  };
  std::vector<Wanted> wanted;
  for (size_t group = 0; group < kPageGroups; ++group) {
    if (!has(group)) continue;
    PagePool& pool = pools_[group];
    std::map<int32_t, int32_t> owners;  // of shared pages, once the sequences before have their own
    int64_t needed = 0;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i] == 0) continue;
      Sequence& s = request.sequences[i];
      if (group == kWindow) leave_window(s);
      const std::vector<int32_t>& pages = s.pages[group];
      const auto have = static_cast<int64_t>(pages.size());
      const int64_t first = s.seen / limits_.page_size;
      Wanted w{group, i, -1, std::max<int64_t>(0, pages_for(reach(s, group, tokens[i])) - have)};
      if (first < have && pool.owners(pages[static_cast<size_t>(first)]) > 1) {
        const int32_t page = pages[static_cast<size_t>(first)];
        int32_t& left = owners.try_emplace(page, pool.owners(page)).first->second;
        if (left-- > 1) w.first = first;
      }
      needed += w.more + (w.first >= 0 ? 1 : 0);
      wanted.push_back(w);
    }
    if (needed > static_cast<int64_t>(pool.free())) return false;
  }
  for (const Wanted& w : wanted) {
    PagePool& pool = pools_[w.group];
    std::vector<int32_t>& pages = request.sequences[w.sequence].pages[w.group];
    if (w.first >= 0) {
      int32_t& page = pages[static_cast<size_t>(w.first)];
      const int32_t own = pool.take();
      copies.pages[w.group].push_back({page, own});
      pool.release(page);
      page = own;
    }
    for (int64_t i = 0; i < w.more; ++i) pages.push_back(pool.take());
  }
  return true;
}

void Scheduler::release_pages(Sequence& sequence) {
  for (size_t group = 0; group < kPageGroups; ++group) {
    for (auto page = sequence.pages[group].rbegin(); page != sequence.pages[group].rend(); ++page)
      if (*page >= 0) pools_[group].release(*page);
    sequence.pages[group].clear();
  }
}

void Scheduler::release(Request& request) {
  for (Sequence& s : request.sequences) {
    release_pages(s);
    if (s.slot >= 0) free_slots_.push_back(s.slot);
    s.slot = -1;
    s.seen = 0;
  }
  free_slots_.insert(free_slots_.end(), request.slots.begin(), request.slots.end());
  request.slots.clear();
  request.slot_copies.clear();
  request.source_slot = -1;
}

void Scheduler::preempt(RequestId id) {
  release(requests_.at(id));
  std::erase(running_, id);
  waiting_.push_front(id);  // it arrived before all that wait
  ++preemptions_;
}

void Scheduler::take_slots(Request& request) {
  for (int64_t i = 0; i < request.most; ++i) {
    request.slots.push_back(free_slots_.back());
    free_slots_.pop_back();
  }
  request.source_slot = request.slots.front();
  for (auto s = request.sequences.rbegin(); s != request.sequences.rend(); ++s) {
    s->slot = request.slots.back();
    request.slots.pop_back();
  }
  request.fresh = true;
}

// ---- steps

int64_t Scheduler::rows_of(const Request& request, const Sequence& s, int64_t tokens) const {
  const int64_t end = s.seen + tokens;
  if (request.scored < request.prompt) return std::max<int64_t>(0, end - std::max(s.seen, request.scored));
  return end == static_cast<int64_t>(s.tokens.size()) ? 1 : 0;
}

std::vector<int64_t> Scheduler::share(const Request& request, int64_t tokens, int64_t rows) const {
  const size_t count = request.sequences.size();
  std::vector<int64_t> shares(count, 0);
  if (std::ranges::all_of(request.sequences, [](const Sequence& s) { return s.left() == 1; })) {
    const auto each = static_cast<int64_t>(count);
    if (tokens >= each && rows >= each) std::ranges::fill(shares, 1);
    return shares;
  }
  // Sequences that must run their last tokens together stop before them until all are there.
  for (size_t i = 0; i < count; ++i) {
    const Sequence& s = request.sequences[i];
    int64_t& share = shares[i];
    share = std::min(tokens, s.left() - (count > 1 ? 1 : 0));
    while (share > 0 && rows_of(request, s, share) > rows) --share;
    tokens -= share;
    rows -= rows_of(request, s, share);
  }
  return shares;
}

void Scheduler::append(Batch& batch, RequestId id, const std::vector<int64_t>& tokens) {
  Request& r = requests_.at(id);
  batch.copies.slots.insert(batch.copies.slots.end(), r.slot_copies.begin(), r.slot_copies.end());
  r.slot_copies.clear();
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] == 0) continue;
    const Sequence& s = r.sequences[i];
    batch.spans.push_back({.id = id,
                           .sequence = static_cast<int32_t>(i),
                           .slot = s.slot,
                           .source_slot = r.source_slot,
                           .context = s.seen,
                           .tokens = tokens[i],
                           .rows = rows_of(r, s, tokens[i]),
                           .sampled = tokens[i] == s.left(),
                           .admitted = r.fresh});
    r.fresh = false;
    const auto first = s.tokens.begin() + s.seen;
    batch.token_ids.insert(batch.token_ids.end(), first, first + tokens[i]);
    for (size_t group = 0; group < kPageGroups; ++group) {
      const std::vector<int32_t>& pages = s.pages[group];
      const int64_t used = has(group) ? pages_for(s.seen + tokens[i]) : 0;
      batch.pages[group].emplace_back(pages.begin(), pages.begin() + used);
    }
  }
  r.in_step = true;
}

Batch Scheduler::next() {
  assert(!in_flight_);
  Batch batch;
  int64_t budget = limits_.step_tokens, rows = limits_.rows > 0 ? limits_.rows : INT64_MAX;
  const auto take = [&](RequestId id, const std::vector<int64_t>& tokens) {
    const size_t before = batch.spans.size();
    append(batch, id, tokens);
    for (size_t i = before; i < batch.spans.size(); ++i) {
      budget -= batch.spans[i].tokens;
      rows -= batch.spans[i].rows;
    }
  };
  const auto none = [](const std::vector<int64_t>& tokens) {
    return std::ranges::all_of(tokens, [](int64_t n) { return n == 0; });
  };
  // Oldest first. Only a request younger than this one is preempted, or itself: none that is in the batch already.
  for (size_t i = 0; i < running_.size() && budget > 0; ++i) {
    Request& r = requests_.at(running_[i]);
    const std::vector<int64_t> tokens = share(r, budget, rows);
    if (none(tokens)) continue;
    while (!reserve(r, tokens, batch.copies)) {
      preempt(running_.back());
      if (i == running_.size()) break;
    }
    if (i < running_.size()) take(running_[i], tokens);
  }
  while (!waiting_.empty() && budget > 0) {
    Request& r = requests_.at(waiting_.front());
    const std::vector<int64_t> tokens = share(r, budget, rows);
    if (none(tokens) || static_cast<int64_t>(free_slots_.size()) < r.most || !reserve(r, tokens, batch.copies)) break;
    take_slots(r);
    running_.push_back(waiting_.front());
    waiting_.pop_front();
    take(running_.back(), tokens);
  }
  in_flight_ = !batch.empty();
  return batch;
}

void Scheduler::branch(Request& request, const std::vector<Branch>& next) {
  assert(static_cast<int64_t>(next.size()) <= request.most);
  std::vector<int32_t> children(request.sequences.size(), 0);
  for (const Branch& b : next) ++children[static_cast<size_t>(b.parent)];
  for (size_t i = 0; i < children.size(); ++i) {
    if (children[i] > 0) continue;
    release_pages(request.sequences[i]);
    request.slots.push_back(request.sequences[i].slot);
  }
  std::vector<Sequence> made;
  made.reserve(next.size());
  for (const Branch& b : next) {
    Sequence& parent = request.sequences[static_cast<size_t>(b.parent)];
    if (--children[static_cast<size_t>(b.parent)] == 0) {
      made.push_back(std::move(parent));  // the last one goes on in its place
    } else {
      made.push_back(parent);
      for (size_t group = 0; group < kPageGroups; ++group)
        for (const int32_t page : parent.pages[group])
          if (page >= 0) pools_[group].share(page);
      made.back().slot = request.slots.back();
      request.slots.pop_back();
      request.slot_copies.push_back({parent.slot, made.back().slot});
    }
    made.back().tokens.push_back(b.token);
  }
  request.sequences = std::move(made);
}

Progress Scheduler::advance(RequestId id, const Outcome& outcome) {
  Request& r = requests_.at(id);
  if (outcome.failed) return {id, FinishReason::error};
  if (r.most == 1) {
    r.sequences.front().tokens.push_back(outcome.token);
    if (outcome.stop) return {id, FinishReason::stop};
  } else if (outcome.next.empty()) {
    return {id, FinishReason::stop};
  } else {
    branch(r, outcome.next);
  }
  const bool full = static_cast<int64_t>(r.sequences.front().tokens.size()) == r.last;
  return {id, full ? FinishReason::length : FinishReason::none};
}

std::vector<Progress> Scheduler::commit(const Batch& batch, const std::vector<Outcome>& outcomes) {
  assert(in_flight_);
  in_flight_ = false;
  std::vector<Progress> progress;
  size_t row = 0;
  for (size_t i = 0; i < batch.spans.size(); ++i) {
    const Span& span = batch.spans[i];
    Request& r = requests_.at(span.id);
    Sequence& s = r.sequences.at(static_cast<size_t>(span.sequence));
    s.seen += span.tokens;
    r.scored = std::max(r.scored, std::min(r.prompt, s.seen));
    if (i + 1 < batch.spans.size() && batch.spans[i + 1].id == span.id) continue;  // its sequences stand together
    r.in_step = false;
    Progress p{.id = span.id};
    if (span.sampled) p = advance(span.id, outcomes.at(row++));
    if (r.cancelled) p.finished = FinishReason::cancelled;
    if (span.sampled || r.cancelled) progress.push_back(p);
  }
  for (const Progress& p : progress)
    if (p.finished != FinishReason::none) forget(p.id);
  return progress;
}

}  // namespace braid
