#pragma once
// Plain copies of tensors in memory of the CPU, for tasks that take and give tensors.

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace braid {

/// A copy in f32 of a tensor of floating-point numbers.
Tensor to_f32(const Tensor& tensor);
/// The elements of a tensor of integers or booleans; empty for other formats.
std::vector<int64_t> to_integers(const Tensor& tensor);

}  // namespace braid
