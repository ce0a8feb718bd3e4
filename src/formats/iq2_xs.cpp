// GGUF's iq2_xs: per 256 elements an f16 factor, 32 words of nine bits of grid index and seven of signs, and eight
// bytes of 4-bit scales, each of 16 elements. value = d · (scale + 1/2) / 4 · entry · sign.
#include "formats/blocks.h"
#include "formats/grids.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block);
  for (size_t part = 0; part < 32; ++part, to += 8) {
    const uint32_t word = formats::u16_at(block + 2 + 2 * part), code = block[66 + part / 4] >> 4 * (part / 2 % 2) & 15;
    const float scale = d * (0.5f + static_cast<float>(code)) * 0.25f;
    formats::eight_of(formats::kIq2Xs[word & 511], formats::kIq2Values, formats::signs_of(word >> 9), scale, to);
  }
}

}  // namespace

const FormatOps formats::iq2_xs = formats::Blocks<kSuper, 74>::read_only<decode>(Format::iq2_xs);

}  // namespace braid
