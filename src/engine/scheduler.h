#pragma once
// Which tokens run in the next step. Pure logic: no device, no threads, no clock.
//
// A sequence is the tokens that are known (prompt, then what was generated) and how many of them the device has seen.
// There is no difference between prefill and decode: a step takes the next known tokens of each sequence in the order
// of arrival, under a budget of tokens; a sequence whose last known token runs gives a row of logits and so one more
// token. A decoding sequence needs one token a step and arrived before those that still prefill, so a long prompt never
// holds up running streams.
//
// A waiting request is admitted when its slots and the pages of all its known tokens are free; pages for what it
// generates are taken as it grows. When none is left, the youngest running request gives back its pages and waits,
// keeping its tokens: they are computed again later, which changes nothing (a token's results do not depend on how
// steps are cut). The oldest request always advances, and none is accepted that could not run alone: everything
// finishes.
//
// A request may become several sequences (beams, several draws): its prompt runs once, and each step's outcome says
// which sequence continues which, so they run in lockstep. Those that continue the same one share its full pages; the
// page that they write next is copied before the step for all owners but the last.
//
// Pages come from two pools: of layers that attend to the whole context, and of layers that see a window. In the second
// one, a page goes back as soon as no token to come can see it.

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "engine/pages.h"

namespace braid {

using RequestId = uint64_t;

struct SchedulerLimits {
  int64_t context = 0;       ///< longest sequence, in tokens
  int64_t step_tokens = 0;   ///< tokens in one step at most
  int64_t slots = 0;         ///< sequences that run at once
  int64_t page_size = 0;     ///< tokens per page; 0: the model has no token states, there are no pages
  int64_t pages = 0;         ///< of the pool of whole contexts; 0: no layer has one
  int64_t window = 0;        ///< tokens that a token of the windowed layers sees, itself included; 0: there are none
  int64_t window_pages = 0;  ///< of their pool
  int64_t rows = 0;          ///< rows of logits in one step at most; 0: no limit
};

/// A sequence's part of a step.
struct Span {
  RequestId id = 0;
  int32_t sequence = 0;     ///< which of the request's
  int32_t slot = 0;         ///< of its sequence states
  int32_t source_slot = 0;  ///< of what its request attends to: one for all of its sequences
  int64_t context = 0;      ///< tokens of the sequence that the device has seen before
  int64_t tokens = 0;       ///< tokens in this step
  int64_t rows = 0;         ///< the logits of so many last ones are wanted
  bool sampled = false;     ///< the last one's give the next token
  bool admitted = false;    ///< the first since the request got its slots: a source must be encoded
};

/// One step, sequence by sequence.
struct Batch {
  std::vector<Span> spans;
  std::vector<int32_t> token_ids;  ///< (tokens)
  /// By group, per span: the pages of its context and its tokens, in order; -1 where a page has left the window.
  std::array<std::vector<std::vector<int32_t>>, kPageGroups> pages;
  Copies copies;
  bool empty() const { return spans.empty(); }
};

/// A sequence of the next step: one of this step, and a token.
struct Branch {
  int32_t parent = 0, token = 0;
  bool operator==(const Branch&) const = default;
};

/// What became of a request that was `sampled`: a token, or a failure that ends it alone. A request that may have
/// several sequences gives `next` instead of a token: how they go on; none: it is over.
struct Outcome {
  int32_t token = 0;
  bool stop = false;  ///< this token is the last one
  bool failed = false;
  std::vector<Branch> next = {};
};

enum class FinishReason : uint8_t { none, stop, length, cancelled, error };
std::string_view name(FinishReason reason);

struct Progress {
  RequestId id = 0;
  FinishReason finished = FinishReason::none;
};

struct ScheduledRequest {
  std::vector<int32_t> prompt;
  int64_t max_tokens = 0;      ///< to generate
  int64_t sequences = 1;       ///< that it may become
  bool prompt_logits = false;  ///< of every token of the prompt, not of the last one alone
};

class Scheduler {
 public:
  explicit Scheduler(const SchedulerLimits& limits);

  /// Puts a request into the queue. Throws UsageError with the exact numbers when it is empty, or when prompt and
  /// max_tokens exceed the context or the whole pool, or its sequences a step: it could never finish.
  RequestId add(ScheduledRequest request);
  /// At any time; pages that a step in flight may still write are freed when it is committed. False for a request that
  /// is not there (any more).
  bool cancel(RequestId id);

  /// The next step; empty when there is nothing to do. One batch may be in flight.
  Batch next();
  /// The results of the batch in flight: one outcome per request with `sampled` spans, in their order. Says how each of
  /// those requests goes on; those that finished are forgotten.
  std::vector<Progress> commit(const Batch& batch, const std::vector<Outcome>& outcomes);

  /// Known tokens of a sequence: the prompt and what was generated. Throws std::out_of_range when it is not there.
  const std::vector<int32_t>& tokens(RequestId id, int32_t sequence = 0) const {
    return requests_.at(id).sequences.at(static_cast<size_t>(sequence)).tokens;
  }
  size_t waiting() const { return waiting_.size(); }
  size_t running() const { return running_.size(); }
  size_t free_pages(PageGroup group = PageGroup::context) const { return pools_[static_cast<size_t>(group)].free(); }
  size_t free_slots() const { return free_slots_.size(); }
  uint64_t preemptions() const { return preemptions_; }

 private:
  struct Sequence {
    std::vector<int32_t> tokens;
    int64_t seen = 0;                                          ///< tokens whose states are in the pools
    std::array<std::vector<int32_t>, kPageGroups> pages = {};  ///< -1: it has left the window
    int32_t slot = -1;

    int64_t left() const { return static_cast<int64_t>(tokens.size()) - seen; }
  };
  struct Request {
    std::vector<Sequence> sequences;
    int64_t prompt = 0, last = 0;     ///< it ends when a sequence has `last` tokens
    int64_t most = 1;                 ///< sequences
    int64_t scored = 0;               ///< tokens of the prompt whose logits are known or not wanted
    std::vector<int32_t> slots = {};  ///< its own, of which no sequence has a claim
    int32_t source_slot = -1;
    std::vector<Copies::Copy> slot_copies = {};  ///< before its next step
    bool fresh = false;                          ///< it got its slots and has not run yet
    bool in_step = false;                        ///< it is part of the batch in flight, which may write its pages
    bool cancelled = false;
  };
  /// How many tokens of each sequence the next step could take.
  std::vector<int64_t> share(const Request& request, int64_t tokens, int64_t rows) const;
  int64_t rows_of(const Request& request, const Sequence& sequence, int64_t tokens) const;
  /// Tokens of a group's pages that a sequence needs to run `tokens` more.
  int64_t reach(const Sequence& sequence, size_t group, int64_t tokens) const;
  /// Takes what the step needs, all or (false) nothing, and notes the copies.
  bool reserve(Request& request, const std::vector<int64_t>& tokens, Copies& copies);
  void leave_window(Sequence& sequence);
  void release_pages(Sequence& sequence);
  void release(Request& request);
  void take_slots(Request& request);
  void preempt(RequestId id);
  void forget(RequestId id);
  void append(Batch& batch, RequestId id, const std::vector<int64_t>& tokens);
  void branch(Request& request, const std::vector<Branch>& next);
  Progress advance(RequestId id, const Outcome& outcome);
  int64_t pages_for(int64_t tokens) const;
  bool has(size_t group) const;

  SchedulerLimits limits_;
  RequestId last_id_ = 0;
  std::map<RequestId, Request> requests_;
  std::deque<RequestId> waiting_;  ///< in order of arrival
  std::deque<RequestId> running_;  ///< in order of arrival
  std::array<PagePool, kPageGroups> pools_;
  std::vector<int32_t> free_slots_;  ///< the last one is taken next
  bool in_flight_ = false;
  uint64_t preemptions_ = 0;
};

}  // namespace braid
