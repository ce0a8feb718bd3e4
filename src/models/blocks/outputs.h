#pragma once
// What a graph ends with.

#include <string>
#include <utility>

#include "models/scope.h"
#include "models/step.h"

namespace braid {

/// The outputs PREFIX.0, PREFIX.1 … of an entry, when its options ask for them.
class HiddenStates {
 public:
  HiddenStates(const Step& t, std::string prefix) : step_(t), prefix_(std::move(prefix)) {}
  /// Reshaped when a shape is given.
  void add(Value x, const Shape& shape = {});

 private:
  const Step& step_;
  std::string prefix_;
  int64_t count_ = 0;
};
/// The element of each sequence that comes first: x (tokens, width) → (sequences, width).
Value first_of_each(const Step& t, Value x);
/// The element of each sequence that comes last.
Value last_of_each(const Step& t, Value x);
/// The mean of each sequence's elements, as attention with equal scores gives it: x (tokens, width) → (sequences,
/// width).
Value mean_of_each(const Step& t, Value x);
/// x (tokens, width) at the step's rows · SCOPE.weight (vocabulary, width)ᵀ → (rows, vocabulary).
Value token_logits(const Scope& s, const Step& t, Value x, int64_t vocabulary);

}  // namespace braid
