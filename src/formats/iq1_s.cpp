// GGUF's iq1_s: per 256 elements an f16 factor, 32 low bytes of grid indices, and eight 16-bit words, one for 32
// elements: four times three high bits of indices, a 3-bit scale, and the sign of the offset. value = d · (2 · scale +
// 1) · (entry ± 1/8), entries -1, 0, 1.
#include "formats/blocks.h"
#include "formats/grids.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block);
  for (size_t group = 0; group < 8; ++group) {
    const uint32_t word = formats::u16_at(block + 34 + 2 * group);
    const float scale = d * static_cast<float>(2 * (word >> 12 & 7) + 1),
                offset = (word & 0x8000) != 0 ? -0.125f : 0.125f;
    for (size_t part = 0; part < 4; ++part) {
      const uint16_t entry = formats::kIq1S[block[2 + 4 * group + part] | (word >> 3 * part & 7) << 8];
      for (int i = 0; i < 8; ++i)
        *to++ = scale * (static_cast<float>(static_cast<int>(entry >> 2 * i & 3) - 1) + offset);
    }
  }
}

}  // namespace

const FormatOps formats::iq1_s = formats::Blocks<kSuper, 50>::read_only<decode>(Format::iq1_s);

}  // namespace braid
