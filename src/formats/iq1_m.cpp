// GGUF's iq1_m: per 256 elements 32 low bytes of grid indices, 16 bytes that hold for two parts of eight elements three
// high bits of the index and the sign of the offset, and four 16-bit words: four 3-bit scales of 16 elements each, and
// in the top nibbles the f16 factor. value = d · (2 · scale + 1) · (entry ± 1/8), entries -1, 0, 1.
#include "formats/blocks.h"
#include "formats/grids.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  const uint8_t* words = block + 48;
  uint32_t factor = 0;
  for (size_t w = 0; w < 4; ++w) factor |= static_cast<uint32_t>(formats::u16_at(words + 2 * w) >> 12) << 4 * w;
  const float d = half_to_float(static_cast<uint16_t>(factor));
  for (size_t part = 0; part < 32; ++part) {
    const uint32_t high = block[32 + part / 2] >> 4 * (part % 2);
    const uint32_t code = formats::u16_at(words + part / 8 * 2) >> 3 * (part / 2 % 4) & 7;
    const float scale = d * static_cast<float>(2 * code + 1), offset = (high & 8) != 0 ? -0.125f : 0.125f;
    const uint16_t entry = formats::kIq1S[block[part] | (high & 7) << 8];
    for (int i = 0; i < 8; ++i) *to++ = scale * (static_cast<float>(static_cast<int>(entry >> 2 * i & 3) - 1) + offset);
  }
}

}  // namespace

const FormatOps formats::iq1_m = formats::Blocks<kSuper, 56>::read_only<decode>(Format::iq1_m);

}  // namespace braid
