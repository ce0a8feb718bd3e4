#pragma once
// Counts every operator new of the program that links counted_new.cpp.

#include <cstdint>

namespace braid::test {

int64_t allocations();

}  // namespace braid::test
