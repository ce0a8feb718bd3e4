#pragma once
// Log-probabilities of tokens under the model's own distribution: before penalties, temperature and filters.

#include <cstdint>
#include <span>
#include <vector>

namespace braid {

struct RankedToken {
  int32_t token = 0;
  double logprob = 0;
};

struct TokenLogprob {
  int32_t token = 0;
  double logprob = 0;
  std::vector<RankedToken> top = {};  ///< the likeliest, from the first on; equals by the lower id
};

/// `logits` (vocabulary) f32; `top`: how many of the likeliest.
TokenLogprob token_logprob(std::span<const float> logits, int32_t token, int64_t top);

/// log Σ exp(logits), in f64.
double log_sum_exp(std::span<const float> logits);

}  // namespace braid
