// GGUF's iq3_s: per 256 elements an f16 factor, 64 low bytes of grid indices of four elements each, eight bytes of
// ninth bits, 32 bytes of signs, and four bytes of 4-bit scales, each of 32 elements. value = d · (2 · scale + 1) ·
// entry · sign.
#include "formats/blocks.h"
#include "formats/grids.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

constexpr std::array<float, 8> kValues = {1, 3, 5, 7, 9, 11, 13, 15};

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block);
  for (size_t four = 0; four < 64; ++four, to += 4) {
    const uint32_t index = block[2 + four] | (block[66 + four / 8] >> four % 8 & 1u) << 8;
    const int code = block[106 + four / 16] >> 4 * (four / 8 % 2) & 15;
    const auto signs = static_cast<uint8_t>(block[74 + four / 2] >> 4 * (four % 2));
    formats::four_of(formats::kIq3S[index], kValues, signs, d * static_cast<float>(1 + 2 * code), to);
  }
}

}  // namespace

const FormatOps formats::iq3_s = formats::Blocks<kSuper, 110>::read_only<decode>(Format::iq3_s);

}  // namespace braid
