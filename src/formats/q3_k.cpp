// GGUF's q3_K: per 256 elements 32 bytes of third bits (byte j, bit k: element j + 32 k), 64 bytes of 2-bit codes as in
// q2_K, 16 6-bit scales in twelve bytes, and an f16 factor. value = (d · (scale - 32)) · (code - 4), the code's third
// bit included.
#include "formats/blocks.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

/// Low nibbles of scales 0 … 7 in the low halves of the first eight bytes, of 8 … 15 in the high ones; the two high
/// bits of scale j in byte 8 + j % 4, the first one lowest.
int scale_at(const uint8_t* packed, size_t j) {
  const int low = packed[j % 8] >> (j < 8 ? 0 : 4) & 15, high = packed[8 + j % 4] >> 2 * (j / 4) & 3;
  return low | high << 4;
}

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block + 108);
  for (size_t i = 0; i < formats::kSuper; ++i) {
    const int low = block[32 + i / 128 * 32 + i % 32] >> 2 * (i % 128 / 32) & 3, high = block[i % 32] >> i / 32 & 1;
    const float scale = d * static_cast<float>(scale_at(block + 96, i / 16) - 32);
    to[i] = scale * static_cast<float>((low | high << 2) - 4);
  }
}

}  // namespace

const FormatOps formats::q3_k = formats::Blocks<kSuper, 110>::read_only<decode>(Format::q3_k);

}  // namespace braid
