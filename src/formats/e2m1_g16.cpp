// nvfp4 with its two scales made one f32: compressed-tensors divides the group's e4m3 by the tensor's, GGUF multiplies.
#include "formats/e2m1.h"
#include "formats/groups.h"

namespace braid {

const FormatOps formats::e2m1_g16 = Groups<TableCode<kE2m1>, 16>::ops(Format::e2m1_g16);

}  // namespace braid
