// GGUF's q5_K: q4_K with a fifth bit per code: 32 bytes before the nibbles, in which bit g of byte j belongs to element
// j of group g.
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
    const uint8_t* codes = block + 48 + group / 2 * 32;
    for (size_t i = 0; i < 32; ++i) {
      const int code = (codes[i] >> 4 * (group % 2) & 15) | (block[16 + i] >> group & 1) << 4;
      *to++ = step * static_cast<float>(code) - low;
    }
  }
}

void encode(const float* from, uint8_t* block) {
  const formats::KBlock fit = formats::fit_k_block(from, 31);
  std::memcpy(block, fit.head.data(), fit.head.size());
  std::memset(block + 16, 0, 160);
  for (size_t i = 0; i < formats::kSuper; ++i) {
    const size_t group = i / 32, j = i % 32;
    block[16 + j] = static_cast<uint8_t>(block[16 + j] | (fit.codes[i] >> 4) << group);
    uint8_t& byte = block[48 + group / 2 * 32 + j];
    byte = static_cast<uint8_t>(byte | (fit.codes[i] & 15) << 4 * (group % 2));
  }
}

}  // namespace

const FormatOps formats::q5_k = formats::Blocks<kSuper, 176>::both<decode, encode>(Format::q5_k);

}  // namespace braid
