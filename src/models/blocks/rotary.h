#pragma once
// Rotary positions.

#include "files/config.h"
#include "models/step.h"
#include "ops/ops.h"

namespace braid {

/// Which two elements of a head turn together: (i, i + rotary_dim / 2) as in Llama, or (2i, 2i + 1) as in GPT-J.
enum class Pairs : uint8_t { halves, neighbours };

/// Rotary positions of every kind that configs name: default, linear, llama3 (Llama 3.1's report), yarn
/// (arXiv:2309.00071), longrope (arXiv:2402.13753).
///
/// longrope has two sets of frequencies, for contexts up to the original one and for longer ones. A cached key has been
/// turned already, so an entry with states takes the set of the longest context that its page table can hold: a
/// sequence keeps its set as it grows, and pages can be shared (Model::default_context is the original one). An entry
/// without states takes that of the longest sequence of the step, as transformers does.
class Rotary {
 public:
  /// Throws Error when the rotated part of head_dim is odd, when longrope's factors are not one per pair, or when the
  /// parameters give frequencies that are not finite.
  Rotary(const Step& t, const RopeConfig& config, int64_t head_dim, Pairs pairs = Pairs::halves);
  /// x (tokens, heads, head_dim).
  Value operator()(Value x, Value positions) const { return rope(x, positions, inverse_frequencies_, how_); }

 private:
  Value inverse_frequencies_;
  Rope how_;
};

}  // namespace braid
