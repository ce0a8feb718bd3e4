// FP8 f8e4m3 (arXiv:2209.05433): no infinity, greatest 448.
#include "formats/plain.h"
#include "formats/small_float.h"

namespace braid {
namespace {

using Float = SmallFloat<4, 3, false>;
uint8_t to_code(float x) { return static_cast<uint8_t>(Float::encode(x)); }
float from_code(uint8_t code) { return Float::decode(code); }

}  // namespace

const FormatOps formats::f8e4m3 = plain<uint8_t, to_code, from_code>(Format::f8e4m3);

}  // namespace braid
