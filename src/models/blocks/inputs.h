#pragma once
// What a graph begins with.

#include <string>
#include <vector>

#include "models/scope.h"
#include "models/step.h"

namespace braid {

/// An image or a window of features per sequence: the input NAME (sequences, size…) f32, of the size that the options
/// ask for, else of `size`. Throws UsageError when the first `fixed` dimensions are not those of `size`.
Value media(const Step& t, std::string name, std::vector<int64_t> size, size_t fixed);
/// Rows `ids` (…) of SCOPE.weight (count, width), in f32 → (…, width).
Value embedding(const Scope& s, Value ids, int64_t count, int64_t width);

}  // namespace braid
