// GGUF's iq4_xs: per 256 elements an f16 factor, eight 6-bit scales (two high bits each in a word, low nibbles in four
// bytes), and 128 bytes of indices, in each 16 as in iq4_nl. value = (d · (scale - 32)) · table[index].
#include "formats/blocks.h"
#include "formats/iq4.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block);
  const uint32_t high = formats::u16_at(block + 2);
  for (size_t group = 0; group < 8; ++group, to += 32) {
    const int low = block[4 + group / 2] >> 4 * (group % 2) & 15;
    const float scale = d * static_cast<float>((low | static_cast<int>(high >> 2 * group & 3) << 4) - 32);
    const uint8_t* codes = block + 8 + 16 * group;
    for (size_t i = 0; i < 16; ++i) {
      to[i] = scale * formats::kIq4[codes[i] & 15];
      to[i + 16] = scale * formats::kIq4[codes[i] >> 4];
    }
  }
}

}  // namespace

const FormatOps formats::iq4_xs = formats::Blocks<kSuper, 136>::read_only<decode>(Format::iq4_xs);

}  // namespace braid
