// GGUF's q2_K: per 256 elements 16 bytes, each a 4-bit scale (low) and a 4-bit minimum of 16 elements, 64 bytes of
// 2-bit codes, an f16 factor of the scales and one of the minima. In each half of 128, byte j holds elements j, j + 32,
// j + 64 and j + 96, the first one lowest. value = (d · scale) · code - (dmin · minimum).
#include "formats/blocks.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block + 80), dmin = formats::half_at(block + 82);
  for (size_t i = 0; i < formats::kSuper; ++i) {
    const uint8_t scales = block[i / 16];
    const int code = block[16 + i / 128 * 32 + i % 32] >> 2 * (i % 128 / 32) & 3;
    to[i] = d * static_cast<float>(scales & 15) * static_cast<float>(code) - dmin * static_cast<float>(scales >> 4);
  }
}

}  // namespace

const FormatOps formats::q2_k = formats::Blocks<kSuper, 84>::read_only<decode>(Format::q2_k);

}  // namespace braid
