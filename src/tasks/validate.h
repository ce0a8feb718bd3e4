#pragma once
// Whether a device computes what the oracle computes, on this model.

#include <cstdint>
#include <string>

#include "tasks/load.h"

namespace braid {

struct ValidateOptions {
  /// Tokens of the prompt and tokens decoded after it; 0: enough to cross a page, fewer for models that the oracle
  /// takes long for.
  int64_t prompt_tokens = 0, tokens = 0;
};

struct Validation {
  bool same = false;              ///< errors within the tolerance, and tokens equal
  double max_relative_error = 0;  ///< the largest of the outputs' ‖device - oracle‖ / ‖oracle‖
  std::string worst_output;       ///< where it was
  double tolerance = 0;
  bool tokens_equal = true;  ///< greedy tokens of causal models, the best class of others
  int64_t tokens = 0;        ///< compared
  std::string device, compute;
};

/// Loads the model on `load.device` and on the oracle, gives both the same pseudo-random inputs, and compares all
/// outputs. The tolerance is fp32's epsilon times the square root of the reductions that a number goes through, at
/// least the 1e-5 of golden files; the oracle runs the graph after the same precision pass. Throws Error.
Validation validate(const LoadOptions& load, const ValidateOptions& options = {});

}  // namespace braid
