#pragma once
// The CPU's kernels as `doctor --kernels` lists them.

#include <string>
#include <vector>

#include "backend/cpu/backend.h"
#include "core/json.h"

namespace braid::cli {

/// A line each.
std::string text_of(const std::vector<cpu::KernelDescription>& kernels);
/// A member "kernels" of an object.
void write(JsonWriter& json, const std::vector<cpu::KernelDescription>& kernels);

}  // namespace braid::cli
