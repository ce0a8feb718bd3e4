// Integers of up to eight bits in groups: GPTQ, compressed-tensors' pack-quantized and int-quantized.
#include "formats/groups.h"

namespace braid {

using Code = formats::IntegerCode<8>;
const FormatOps formats::i8_g32 = Groups<Code, 32>::ops(Format::i8_g32);
const FormatOps formats::i8_g128 = Groups<Code, 128>::ops(Format::i8_g128);

}  // namespace braid
