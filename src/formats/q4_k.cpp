// GGUF's q4_K: per 256 elements an f16 factor of the scales and one of the minima, eight 6-bit scales and minima, one
// of 32 elements each, and 128 bytes: in each 32, byte j holds element j of a group in its low nibble and of the next
// group in its high one. value = (d · scale) · code - (dmin · minimum).
#include "formats/blocks.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block), dmin = formats::half_at(block + 2);
  for (size_t group = 0; group < 8; ++group) {
    int scale, minimum;
    formats::scale_and_minimum(block + 4, group, scale, minimum);
    const float step = d * static_cast<float>(scale), low = dmin * static_cast<float>(minimum);
    const uint8_t* codes = block + 16 + group / 2 * 32;
    for (size_t i = 0; i < 32; ++i) *to++ = step * static_cast<float>(codes[i] >> 4 * (group % 2) & 15) - low;
  }
}

void encode(const float* from, uint8_t* block) {
  const formats::KBlock fit = formats::fit_k_block(from, 15);
  std::memcpy(block, fit.head.data(), fit.head.size());
  for (size_t i = 0; i < 128; ++i) {
    const uint8_t* low = fit.codes.data() + i / 32 * 64 + i % 32;
    block[16 + i] = static_cast<uint8_t>(low[0] | low[32] << 4);
  }
}

}  // namespace

const FormatOps formats::q4_k = formats::Blocks<kSuper, 144>::both<decode, encode>(Format::q4_k);

}  // namespace braid
