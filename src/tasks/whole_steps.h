#pragma once
// Whole sequences through an encoder, all of one length: what `bench` times where nothing is decoded.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/program.h"
#include "tasks/bench.h"

namespace braid {

class WholeSteps {
 public:
  /// Each entry "forward" of the program reads as many sequences of `ids` (count, n) as its step_tokens hold. Throws
  /// UsageError when not even one fits.
  WholeSteps(Program& program, std::span<const int32_t> ids, int64_t count);
  /// Steps of one pass over all sequences.
  int64_t steps() const { return static_cast<int64_t>(steps_.size()); }
  int64_t largest_tokens() const { return largest_; }  ///< of a step
  void run();

 private:
  Program& program_;
  std::vector<StepData> steps_;
  int64_t largest_ = 0;
};

/// Seconds of options.repeat passes over `ids`; the peaks are sampled between them. Throws Error when options.progress
/// says so.
std::vector<double> time_passes(Program& program, std::span<const int32_t> ids, const BenchOptions& options,
                                LimitMeter& meter);

}  // namespace braid
