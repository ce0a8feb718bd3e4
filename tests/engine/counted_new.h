#pragma once
// Counts every operator new of the program that links counted_new.cpp.

#include <cstdint>

namespace braid::test {

/// False under sanitizers.
bool allocations_are_counted();
int64_t allocations();

}  // namespace braid::test
