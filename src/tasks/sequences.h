#pragma once
// Fresh sequences that run step by step in a program, for tasks that need logits and no scheduler: sequence s keeps
// slot s and pages of its own from beginning to end.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/program.h"

namespace braid {

class Sequences {
 public:
  /// `count` sequences of at most program.options().context tokens, all empty. Throws Error when the model has no
  /// "decode" entry, or one that needs an encoder's output.
  Sequences(Program& program, int64_t count);

  /// Empties all of them.
  void restart();
  int64_t count() const { return count_; }
  /// Tokens that each sequence has.
  int64_t length() const { return length_; }

  /// Appends as many tokens to each sequence: `ids` (count, n), row by row. Returns the logits of the last `rows` of
  /// each sequence's new tokens, (count · rows, vocabulary) f32, valid until the next step. Throws Error.
  Tensor append(std::span<const int32_t> ids, int64_t rows);
  /// The same in steps of at most program.options().step_tokens; the logits are those of the last token of each,
  /// (count, vocabulary).
  Tensor prefill(std::span<const int32_t> ids);

 private:
  Program& program_;
  int64_t count_, pages_each_;
  int64_t length_ = 0;
};

/// The index of the largest of each row's logits; the lower one of equals.
std::vector<int32_t> greedy(const Tensor& logits);

}  // namespace braid
