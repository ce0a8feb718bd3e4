#pragma once
// Rotary positions.

#include "files/config.h"
#include "ops/ops.h"

namespace braid {

/// Rotary positions of every kind that configs name: default, linear, llama3 (Llama 3.1's report), yarn
/// (arXiv:2309.00071).
class Rotary {
 public:
  /// Throws Error when head_dim is odd, or the parameters give frequencies that are not finite.
  Rotary(Builder& builder, const RopeConfig& config, int64_t head_dim);
  /// x (tokens, heads, head_dim).
  Value operator()(Value x, Value positions) const { return rope(x, positions, inverse_frequencies_, how_); }

 private:
  Value inverse_frequencies_;
  Rope how_;
};

}  // namespace braid
