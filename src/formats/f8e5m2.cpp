// FP8 f8e5m2 (arXiv:2209.05433): IEEE-like, greatest 57344.
#include "formats/plain.h"
#include "formats/small_float.h"

namespace braid {
namespace {

using Float = SmallFloat<5, 2, true>;
uint8_t to_code(float x) { return static_cast<uint8_t>(Float::encode(x)); }
float from_code(uint8_t code) { return Float::decode(code); }

}  // namespace

const FormatOps formats::f8e5m2 = plain<uint8_t, to_code, from_code>(Format::f8e5m2);

}  // namespace braid
