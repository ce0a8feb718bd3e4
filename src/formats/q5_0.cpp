// GGUF's q5_0: per 32 elements an f16 scale, 32 fifth bits (bit i: element i), then 16 bytes of low nibbles as in q4_0.
// value = scale · (code - 16). Bit for bit what ggml's reference writes: the element of greatest magnitude becomes the
// code -16 exactly.
#include <algorithm>
#include <cmath>

#include "formats/blocks.h"

namespace braid {
namespace {

constexpr size_t kBlock = 32;
using Q50 = formats::Blocks<kBlock, 22>;

void decode(const uint8_t* block, float* to) {
  const float scale = formats::half_at(block);
  const uint32_t high = formats::u32_at(block + 2);
  for (size_t i = 0; i < kBlock; ++i) {
    const int low = block[6 + i % 16] >> (i < 16 ? 0 : 4) & 15;
    to[i] = scale * static_cast<float>((low | static_cast<int>(high >> i & 1) << 4) - 16);
  }
}

void encode(const float* from, uint8_t* block) {
  float greatest = 0;
  for (size_t i = 0; i < kBlock; ++i)
    if (std::fabs(greatest) < std::fabs(from[i])) greatest = from[i];
  const float scale = greatest / -16, inverse = scale != 0 ? 1 / scale : 0.0f;
  formats::put_half(scale, block);
  std::memset(block + 2, 0, 20);
  for (size_t i = 0; i < kBlock; ++i) {
    const float scaled = from[i] * inverse + 16.5f;
    const auto code = static_cast<uint8_t>(scaled >= 0 ? std::min(scaled, 31.0f) : 0);  // NaN: 0
    block[2 + i / 8] |= static_cast<uint8_t>((code >> 4) << i % 8);
    block[6 + i % 16] |= static_cast<uint8_t>((code & 15) << (i < 16 ? 0 : 4));
  }
}

}  // namespace

const FormatOps formats::q5_0 = Q50::both<decode, encode>(Format::q5_0);

}  // namespace braid
