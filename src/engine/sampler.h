#pragma once
// From logits to a token: processors, warpers (engine/processors), softmax, a draw. (llama.cpp applies the temperature
// last; then top-p and min-p see other probabilities.) Equal logits rank by the lower id. The draw of a request's n-th
// token depends on its seed and n alone: not on the batch, not on preemptions.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/processors/processors.h"

namespace braid {

class Sampler {
 public:
  /// Throws UsageError, see SamplingOptions::check().
  explicit Sampler(SamplingOptions options);

  /// `logits` (vocabulary) f32. `index`: how many tokens were generated before. Throws Error when a logit is NaN or the
  /// largest is not finite.
  int32_t sample(std::span<const float> logits, const TokenHistory& history, uint64_t index);

  /// The same row after all processors. Valid until the next call, as is what the next one gives.
  std::span<float> processed(std::span<const float> logits, const TokenHistory& history);
  /// Of a processed row: what a token is drawn from, by id, at least `least` where the row has them.
  std::span<const Candidate> candidates(std::span<const float> processed, size_t least = 1);

  const SamplingOptions& options() const { return options_; }
  bool greedy() const { return options_.temperature == 0; }

 private:
  SamplingOptions options_;
  std::vector<float> logits_;  // kept between calls, as is the next
  std::vector<Candidate> candidates_;
};

/// The n-th number of a stream, uniform in [0, 1): a counter-based generator (SplitMix64's finaliser over a hashed
/// seed; Steele, Lea, Flood 2014).
double uniform(uint64_t seed, uint64_t index);

}  // namespace braid
