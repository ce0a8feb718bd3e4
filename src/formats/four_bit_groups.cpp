// bitsandbytes' 4-bit weights: groups of 64 (or a multiple) with one f32 absmax. value = table[code] · absmax.
#include "formats/four_bit_tables.h"
#include "formats/groups.h"

namespace braid {

const FormatOps formats::nf4_g64 = Groups<TableCode<kNf4>, 64>::ops(Format::nf4_g64);
const FormatOps formats::fp4_g64 = Groups<TableCode<kFp4>, 64>::ops(Format::fp4_g64);

}  // namespace braid
