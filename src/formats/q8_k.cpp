// GGUF's q8_K: per 256 elements an f32 scale, 256 signed codes, and the sums of each 16 codes, which decoding needs
// not.
#include "formats/blocks.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  const float scale = formats::f32_at(block);
  for (size_t i = 0; i < formats::kSuper; ++i) to[i] = scale * static_cast<float>(static_cast<int8_t>(block[4 + i]));
}

}  // namespace

const FormatOps formats::q8_k = formats::Blocks<kSuper, 292>::read_only<decode>(Format::q8_k);

}  // namespace braid
