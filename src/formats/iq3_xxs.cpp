// GGUF's iq3_xxs: per 256 elements an f16 factor, 64 grid indices of four elements each, and for each 32 elements a
// word of four times seven sign bits and a 4-bit scale. value = d · (scale + 1/2) / 2 · entry · sign.
#include "formats/blocks.h"
#include "formats/grids.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

constexpr std::array<float, 8> kValues = {4, 12, 20, 28, 36, 44, 52, 62};

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block);
  for (size_t part = 0; part < 32; ++part, to += 8) {
    const uint32_t word = formats::u32_at(block + 66 + part / 4 * 4);
    const float scale = d * (0.5f + static_cast<float>(word >> 28)) * 0.5f;
    const uint8_t signs = formats::signs_of(word >> 7 * (part % 4) & 127);
    formats::four_of(formats::kIq3Xxs[block[2 + 2 * part]], kValues, signs, scale, to);
    formats::four_of(formats::kIq3Xxs[block[3 + 2 * part]], kValues, signs >> 4, scale, to + 4);
  }
}

}  // namespace

const FormatOps formats::iq3_xxs = formats::Blocks<kSuper, 98>::read_only<decode>(Format::iq3_xxs);

}  // namespace braid
