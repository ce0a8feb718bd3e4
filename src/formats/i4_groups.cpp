// Integers of up to four bits in groups: GPTQ, AWQ, auto-round, compressed-tensors' pack-quantized.
#include "formats/groups.h"

namespace braid {

using Code = formats::IntegerCode<4>;
const FormatOps formats::i4_g16 = Groups<Code, 16>::ops(Format::i4_g16);
const FormatOps formats::i4_g32 = Groups<Code, 32>::ops(Format::i4_g32);
const FormatOps formats::i4_g128 = Groups<Code, 128>::ops(Format::i4_g128);

}  // namespace braid
