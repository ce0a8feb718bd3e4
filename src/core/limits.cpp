#include "core/limits.h"

namespace braid {

uint64_t checked_mul(uint64_t a, uint64_t b, const Place& place) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) throw Error("size overflows 64 bits", place);
  return product;
}

uint64_t checked_add(uint64_t a, uint64_t b, const Place& place) {
  uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) throw Error("size overflows 64 bits", place);
  return sum;
}

}  // namespace braid
