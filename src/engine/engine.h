#pragma once
// Engine: requests in, tokens out. Scheduler, program and decodings together; one step at a time, on the caller's
// thread.
//
// A request gives the same tokens alone and in any batch, however its prompt is cut into steps and whether or not it is
// preempted: the program's logits do not depend on the batch (each kernel has one order of summation), and a draw
// depends on the request's seed and the number of its token alone.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/decoding.h"
#include "engine/program.h"
#include "engine/scheduler.h"

namespace braid {

struct GenerateRequest {
  std::vector<int32_t> prompt;
  DecodingOptions decoding = {};  ///< its `sampling.ends` end a text (end-of-sequence ids)
  int64_t max_tokens = 0;
  /// Log-probabilities of the prompt's tokens, with so many of the likeliest; -1: none.
  int64_t prompt_logprobs = -1;
  /// Encoder-decoder models: what "encode" reads of one source: a window (input_features: mel bins × frames, f32), or
  /// token ids (i32, one dimension).
  Tensor source = {};
};

struct TokenEvent {
  RequestId id = 0;
  int64_t text = 0;        ///< which of several texts
  bool has_token = false;  ///< false: the request ended without another one (cancelled, failed, a beam search)
  int32_t token = 0;
  FinishReason finished = FinishReason::none;  ///< of this text
  bool over = false;                           ///< the request's last event
  std::string message = {};                    ///< of an error
  std::vector<TokenLogprob> logprobs = {};     ///< of the token, when wanted
  /// With the first token, when wanted: of the prompt's tokens from the second on.
  std::vector<TokenLogprob> prompt_logprobs = {};
  std::vector<Hypothesis> found = {};  ///< of a beam search that is over, the best first
};

/// Called within step(), after the scheduler has taken over the token. Returning false ends the text (its reason is
/// then "stop"): it is how stop strings work. Must not call into the engine, but for cancel().
using TokenCallback = std::function<bool(const TokenEvent&)>;

class Engine {
 public:
  /// The program must outlive the engine, and nothing else may run its entries meanwhile: the pools are the engine's.
  /// Throws UsageError when the model does not generate.
  explicit Engine(Program& program);

  /// Throws UsageError naming the parameter: a token outside the vocabulary, sampling options out of range, a request
  /// that exceeds the context or the pool (with the exact budget), a source that is missing.
  RequestId submit(GenerateRequest request, TokenCallback callback);
  /// Ends a request with an event "cancelled". Unknown ids are ignored.
  void cancel(RequestId id);
  /// Runs one step. False when there was nothing to do. When a step fails, its requests end with an error event; the
  /// others go on.
  bool step();
  /// Steps until every request has ended.
  void run();

  const Scheduler& scheduler() const { return scheduler_; }

 private:
  struct Active {
    std::unique_ptr<Decoding> decoding;
    int64_t open = 1;    // texts that go on
    bool alone = true;   // one sequence
    TokenHistory shape;  // without its tokens
    std::vector<int32_t> source_tokens;
    int64_t prompt_top = -1;
    std::vector<TokenLogprob> prompt_logprobs = {};
    Tensor source;
    TokenCallback callback;
  };
  /// What became of the sampled requests of a step.
  struct Results {
    std::vector<Outcome> outcomes;                    // in the order of the batch
    std::map<RequestId, Decoding::Advance> advances;  // of those that did not fail
    std::map<RequestId, std::string> failures;
  };
  void encode(const Batch& batch);
  Results decode(const Batch& batch, const Tensor& logits);
  void score_prompt(const Span& span, std::span<const float> rows, size_t vocabulary);
  void report(const Batch& batch, Results results);
  void deliver(RequestId id, Decoding::Advance advance, FinishReason finished);
  bool tell(RequestId id, TokenEvent event);
  void fail(const Batch& batch, const std::string& message);

  Program& program_;
  Scheduler scheduler_;
  std::map<RequestId, Active> active_;
};

}  // namespace braid
