#pragma once
// The types that a scan's operands must have, and those of its results.

#include <vector>

#include "ops/shapes.h"

namespace braid {

/// Throws ShapeError naming the operand that does not fit the body.
std::vector<Type> infer_scan(Types operands, const Attrs& attrs);

}  // namespace braid
