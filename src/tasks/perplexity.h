#pragma once
// How well a causal model predicts a text.

#include <cstdint>
#include <functional>
#include <span>

#include "tasks/load.h"

namespace braid {

struct PerplexityOptions {
  int64_t context = 1024;  ///< tokens of a window
  /// Called between steps with the tokens done and all tokens; false stops the work with an Error.
  std::function<bool(int64_t done, int64_t total)> progress;
};

struct Perplexity {
  double nll = 0;         ///< mean negative log-likelihood over the scored tokens, in nats
  double perplexity = 0;  ///< exp(nll)
  int64_t tokens = 0;     ///< scored
  double seconds = 0;     ///< of the steps and their scores
};

/// `base` with the sizes that a program needs.
LoadOptions perplexity_options(const PerplexityOptions& options, LoadOptions base = {});

/// Cuts `ids` into non-overlapping windows of `context` tokens (the last one may be shorter) and scores every token of
/// a window but its first, which nothing precedes. Logits are scored in f32, sums are kept in double. Throws Error when
/// the model has no "decode" entry of its own, an id is outside the vocabulary, or no token can be scored.
Perplexity perplexity(Program& program, std::span<const int32_t> ids, const PerplexityOptions& options);

/// -log softmax(logits)[target].
double negative_log_likelihood(std::span<const float> logits, int32_t target);

}  // namespace braid
