#pragma once
// Load graphs on the CPU: what parameters become before the first step.

#include "backend/backend.h"

namespace braid::cpu {

/// Evaluates a load graph in parallel. Conversions of weights (cast, quantize, pack) run row by row straight from the
/// source; anything else is interpreted.
Tensor run_load_graph(const Graph& load, ParameterSource& source);

}  // namespace braid::cpu
