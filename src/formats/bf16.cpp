#include "formats/half.h"
#include "formats/plain.h"

namespace braid {

const FormatOps formats::bf16 = plain<uint16_t, float_to_bfloat, bfloat_to_float>(Format::bf16, WeightClass::half);

}  // namespace braid
