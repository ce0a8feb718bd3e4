// The plain integer formats: a line each.
#include <cmath>
#include <limits>

#include "formats/plain.h"

namespace braid {
namespace {

template <class Int>
Int to_integer(float x) {
  using Range = std::numeric_limits<Int>;
  if (std::isnan(x)) return 0;
  // 2^digits is a float for every type; the greatest integer itself need not be.
  if (x >= std::ldexp(1.0f, Range::digits)) return Range::max();
  if (x <= static_cast<float>(Range::min())) return Range::min();
  return static_cast<Int>(x);
}

template <class Int>
float to_float(Int x) {
  return static_cast<float>(x);
}

uint8_t to_boolean(float x) { return x != 0; }
float from_boolean(uint8_t x) { return x != 0 ? 1.0f : 0.0f; }

}  // namespace

const FormatOps formats::i64 = plain<int64_t, to_integer, to_float>(Format::i64);
const FormatOps formats::i32 = plain<int32_t, to_integer, to_float>(Format::i32);
const FormatOps formats::i16 = plain<int16_t, to_integer, to_float>(Format::i16);
const FormatOps formats::i8 = plain<int8_t, to_integer, to_float>(Format::i8);
const FormatOps formats::u8 = plain<uint8_t, to_integer, to_float>(Format::u8);
const FormatOps formats::boolean = plain<uint8_t, to_boolean, from_boolean>(Format::boolean);

}  // namespace braid
