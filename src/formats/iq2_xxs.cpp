// GGUF's iq2_xxs: per 256 elements an f16 factor, then eight bytes for each 32: four grid indices, and a word of four
// times seven sign bits and a 4-bit scale. value = d · (scale + 1/2) / 4 · entry · sign.
#include "formats/blocks.h"
#include "formats/grids.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block);
  for (size_t group = 0; group < 8; ++group) {
    const uint8_t* at = block + 2 + 8 * group;
    const uint32_t word = formats::u32_at(at + 4);
    const float scale = d * (0.5f + static_cast<float>(word >> 28)) * 0.25f;
    for (size_t part = 0; part < 4; ++part, to += 8)
      formats::eight_of(formats::kIq2Xxs[at[part]], formats::kIq2Values, formats::signs_of(word >> 7 * part & 127),
                        scale, to);
  }
}

}  // namespace

const FormatOps formats::iq2_xxs = formats::Blocks<kSuper, 66>::read_only<decode>(Format::iq2_xxs);

}  // namespace braid
