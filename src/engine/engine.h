#pragma once
// Engine: requests in, tokens out. Scheduler, program and samplers together; one step at a time, on the caller's
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

#include "engine/program.h"
#include "engine/sampler.h"
#include "engine/scheduler.h"

namespace braid {

struct GenerateRequest {
  std::vector<int32_t> prompt;
  SamplingOptions sampling = {};
  int64_t max_tokens = 0;
  std::vector<int32_t> stop_tokens = {};  ///< the request ends after any of them (end-of-sequence ids)
  /// Encoder-decoder models: what "encode" reads of one source: a window (input_features: mel bins × frames, f32), or
  /// token ids (i32, one dimension).
  Tensor source = {};
};

struct TokenEvent {
  RequestId id = 0;
  bool has_token = false;  ///< false: the request ended without another one (cancelled, failed)
  int32_t token = 0;
  FinishReason finished = FinishReason::none;
  std::string message = {};  ///< of an error
};

/// Called within step(), after the scheduler has taken over the token. Returning false ends the request (its reason is
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
    Sampler sampler;
    size_t prompt_tokens;
    std::vector<int32_t> stop_tokens = {};
    Tensor source;
    TokenCallback callback;
  };
  void encode(const Batch& batch);
  std::vector<Outcome> sample(const Batch& batch, const Tensor& logits, std::map<RequestId, std::string>& failures);
  void report(const Batch& batch, const std::vector<Outcome>& outcomes,
              const std::map<RequestId, std::string>& failures);
  void fail(const Batch& batch, const std::string& message);

  Program& program_;
  Scheduler scheduler_;
  std::map<RequestId, Active> active_;
};

}  // namespace braid
