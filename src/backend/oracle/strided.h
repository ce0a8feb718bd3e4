#pragma once
// Loops over broadcast operands and strided copies.

#include <array>
#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace braid::oracle {

/// Operands broadcast to one shape: rows of `length` elements, and where each row of each operand begins.
class BroadcastRows {
 public:
  /// At most three operands.
  BroadcastRows(const std::vector<int64_t>& shape, std::span<const Tensor> operands);

  int64_t rows() const { return rows_; }
  int64_t length() const { return length_; }
  /// 0 or 1: the distance of an operand's elements along a row.
  int64_t step(size_t operand) const { return steps_[operand]; }
  /// Element index at which each operand's part of a row begins.
  std::array<int64_t, 3> starts(int64_t row) const;

 private:
  std::vector<int64_t> outer_;
  std::vector<std::array<int64_t, 3>> strides_;  // of the outer dimensions, in elements
  std::array<int64_t, 3> steps_{};
  int64_t rows_ = 1, length_ = 1;
};

/// A tensor of another shape whose element (i, j, …) lies at `offset` + i·strides[0] + j·strides[1] … bytes of x; each
/// copies `chunk` bytes.
struct StridedView {
  std::vector<int64_t> sizes, strides;
  int64_t offset = 0;
  int64_t chunk = 4;
};
void copy_strided(const std::byte* from, std::byte* to, StridedView view);

}  // namespace braid::oracle
