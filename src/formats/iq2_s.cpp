// GGUF's iq2_s: per 256 elements an f16 factor, 32 low bytes of grid indices, 32 bytes of signs, eight bytes of two
// high bits per index, and eight bytes of 4-bit scales, each of 16 elements. value = d · (scale + 1/2) / 4 · entry ·
// sign.
#include "formats/blocks.h"
#include "formats/grids.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block);
  for (size_t part = 0; part < 32; ++part, to += 8) {
    const uint32_t index = block[2 + part] | (block[66 + part / 4] >> 2 * (part % 4) & 3u) << 8;
    const uint32_t code = block[74 + part / 4] >> 4 * (part / 2 % 2) & 15;
    const float scale = d * (0.5f + static_cast<float>(code)) * 0.25f;
    formats::eight_of(formats::kIq2S[index], formats::kIq2Values, block[34 + part], scale, to);
  }
}

}  // namespace

const FormatOps formats::iq2_s = formats::Blocks<kSuper, 82>::read_only<decode>(Format::iq2_s);

}  // namespace braid
