#pragma once
// From logits to a token. The steps are those of transformers' generate, in its order:
//   repetition penalty → temperature → top-k → top-p → min-p → softmax → a draw.
// (llama.cpp applies the temperature last; then top-p and min-p see other probabilities.) Equal logits rank by the
// lower id. The draw of a request's n-th token depends on its seed and n alone: not on the batch, not on preemptions.

#include <cstdint>
#include <span>
#include <vector>

namespace braid {

struct SamplingOptions {
  double temperature = 0;         ///< ≥ 0; 0 is greedy: the largest logit, filters have no effect
  int64_t top_k = 0;              ///< only the k largest; 0: all
  double top_p = 1;               ///< [0, 1]: the smallest set of the largest with this much probability, at least one
  double min_p = 0;               ///< [0, 1]: only those at least min_p times as probable as the largest
  double repetition_penalty = 1;  ///< > 0; logits of tokens seen before are divided by it (multiplied when negative)
  uint64_t seed = 0;
  std::vector<int32_t> suppress = {};  ///< tokens that are never generated

  /// Throws UsageError naming the field that is not a number or out of its range.
  void check() const;
};

class Sampler {
 public:
  /// Throws UsageError, see check().
  explicit Sampler(SamplingOptions options);

  /// `logits` (vocabulary) f32; `seen`: prompt and generated tokens. `index`: how many tokens were generated before.
  /// Throws Error when a logit is NaN or the largest is not finite.
  int32_t sample(std::span<const float> logits, std::span<const int32_t> seen, uint64_t index);

 private:
  struct Candidate {
    double logit;
    int32_t id;
  };
  std::span<const float> adjusted(std::span<const float> logits, std::span<const int32_t> seen);
  int32_t draw(std::span<const Candidate> candidates, double largest, uint64_t index) const;

  SamplingOptions options_;
  std::vector<float> logits_;  // kept between calls, as is the next
  std::vector<Candidate> candidates_;
};

/// The n-th number of a stream, uniform in [0, 1): a counter-based generator (SplitMix64's finaliser over a hashed
/// seed; Steele, Lea, Flood 2014).
double uniform(uint64_t seed, uint64_t index);

}  // namespace braid
