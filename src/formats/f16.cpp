#include "formats/half.h"
#include "formats/plain.h"

namespace braid {

const FormatOps formats::f16 = plain<uint16_t, float_to_half, half_to_float>(Format::f16, WeightClass::half);

}  // namespace braid
