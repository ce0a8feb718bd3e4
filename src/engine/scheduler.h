#pragma once
// Which tokens run in the next step. Pure logic: no device, no threads, no clock.
//
// A sequence is the tokens that are known (prompt, then what was generated) and how many of them the device has seen.
// There is no difference between prefill and decode: a step takes the next known tokens of each sequence in the order
// of arrival, under a budget of tokens; a sequence whose last known token runs gives a row of logits and so one more
// token. A decoding sequence needs one token a step and arrived before those that still prefill, so a long prompt never
// holds up running streams.
//
// A waiting sequence is admitted when a slot and the pages of all its known tokens are free; pages for what it
// generates are taken as it grows. When none is left, the youngest running sequence gives back its pages and waits,
// keeping its tokens: they are computed again later, which changes nothing (a token's results do not depend on how
// steps are cut). The oldest sequence always advances, and no sequence is accepted that could not run alone: everything
// finishes.

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace braid {

using RequestId = uint64_t;

struct SchedulerLimits {
  int64_t context = 0;      ///< longest sequence, in tokens
  int64_t step_tokens = 0;  ///< tokens in one step at most
  int64_t slots = 0;        ///< sequences that run at once
  int64_t page_size = 0;    ///< tokens per page; 0: the model has no token states, there are no pages
  int64_t pages = 0;        ///< of the pool
};

/// A sequence's part of a step.
struct Span {
  RequestId id = 0;
  int32_t slot = 0;
  int64_t context = 0;    ///< tokens of the sequence that the device has seen before
  int64_t tokens = 0;     ///< tokens in this step
  bool sampled = false;   ///< the last token's logits are wanted
  bool admitted = false;  ///< the first step since the slot became this sequence's: a source must be encoded
};

/// One step, sequence by sequence.
struct Batch {
  std::vector<Span> spans;
  std::vector<int32_t> token_ids;           ///< (tokens)
  std::vector<std::vector<int32_t>> pages;  ///< per span: the pages of its context and its tokens, in order
  bool empty() const { return spans.empty(); }
};

/// What became of a span that was `sampled`: a token, or a failure that ends this request alone.
struct Outcome {
  int32_t token = 0;
  bool stop = false;  ///< this token is the last one
  bool failed = false;
};

enum class FinishReason : uint8_t { none, stop, length, cancelled, error };
std::string_view name(FinishReason reason);

struct Progress {
  RequestId id = 0;
  FinishReason finished = FinishReason::none;
};

struct ScheduledRequest {
  std::vector<int32_t> prompt;
  int64_t max_tokens = 0;  ///< to generate
};

class Scheduler {
 public:
  explicit Scheduler(const SchedulerLimits& limits);

  /// Puts a request into the queue. Throws UsageError with the exact numbers when it is empty, or when prompt and
  /// max_tokens exceed the context or the whole pool: it could never finish.
  RequestId add(ScheduledRequest request);
  /// At any time; pages that a step in flight may still write are freed when it is committed. False for a request that
  /// is not there (any more).
  bool cancel(RequestId id);

  /// The next step; empty when there is nothing to do. One batch may be in flight.
  Batch next();
  /// The results of the batch in flight: one outcome per `sampled` span, in their order. Says how each of those
  /// requests goes on; those that finished are forgotten.
  std::vector<Progress> commit(const Batch& batch, const std::vector<Outcome>& outcomes);

  /// Known tokens of a request: the prompt and what was generated. Throws std::out_of_range when it is not there.
  const std::vector<int32_t>& tokens(RequestId id) const { return sequences_.at(id).tokens; }
  size_t waiting() const { return waiting_.size(); }
  size_t running() const { return running_.size(); }
  size_t free_pages() const { return free_pages_.size(); }
  size_t free_slots() const { return free_slots_.size(); }
  uint64_t preemptions() const { return preemptions_; }

 private:
  struct Sequence {
    std::vector<int32_t> tokens;
    int64_t last = 0;  ///< it ends when it has so many tokens
    int64_t seen = 0;  ///< tokens whose states are in the pools
    std::vector<int32_t> pages = {};
    int32_t slot = -1;
    bool fresh = false;    ///< it got its slot and has not run yet
    bool in_step = false;  ///< it is part of the batch in flight, which may write its pages
    bool cancelled = false;
  };
  int64_t pages_for(int64_t tokens) const;
  /// Takes pages until the first `tokens` tokens have them; false when there are too few.
  bool reserve(Sequence& sequence, int64_t tokens);
  void release(Sequence& sequence);
  bool admit(RequestId id);
  void preempt(RequestId id);
  void forget(RequestId id);
  void append(Batch& batch, RequestId id, int64_t tokens);

  SchedulerLimits limits_;
  RequestId last_id_ = 0;
  std::map<RequestId, Sequence> sequences_;
  std::deque<RequestId> waiting_;                 ///< in order of arrival
  std::deque<RequestId> running_;                 ///< in order of arrival
  std::vector<int32_t> free_pages_, free_slots_;  ///< the last one is taken next
  bool in_flight_ = false;
  uint64_t preemptions_ = 0;
};

}  // namespace braid
