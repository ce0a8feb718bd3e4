#pragma once
// What a choice is worth, measured in pairs: the same model made ready in two ways, step beside step in one process, so
// that the machine's clock and its neighbours weigh on both alike.

#include "tasks/bench.h"

namespace braid {

/// Of the ratios other ÷ one, pair by pair: above 1, `one` is the faster.
struct PairedRatio {
  double median = 0, low = 0, high = 0;  ///< low and high: the quartiles
};
struct PairedResult {
  PairedRatio prefill;  ///< a pair is a prompt
  PairedRatio decode;   ///< a pair is 16 tokens
};

/// Loads the model as `one` and as `other` say, on one backend of `one`, and runs both in turn. Takes twice the memory.
/// Throws Error like load_model and bench.
PairedResult bench_paired(const BenchOptions& options, LoadOptions one, LoadOptions other);

}  // namespace braid
