#pragma once
// What attend means in simpler ops.

#include <span>
#include <vector>

#include "ir/builder.h"

namespace braid {

/// Every query meets every key; exact zeros where a mask is. Operands as ops/attend.cpp lists them.
std::vector<Value> expand_attend(Builder& b, const Node& node, std::span<const Value> operands);

}  // namespace braid
