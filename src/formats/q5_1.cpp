// GGUF's q5_1: per 32 elements an f16 scale, an f16 minimum, 32 fifth bits (bit i: element i), then 16 bytes of low
// nibbles as in q4_0. value = scale · code + minimum. Bit for bit what ggml's reference writes.
#include <algorithm>

#include "formats/blocks.h"

namespace braid {
namespace {

constexpr size_t kBlock = 32;
using Q51 = formats::Blocks<kBlock, 24>;

void decode(const uint8_t* block, float* to) {
  const float scale = formats::half_at(block), minimum = formats::half_at(block + 2);
  const uint32_t high = formats::u32_at(block + 4);
  for (size_t i = 0; i < kBlock; ++i) {
    const uint32_t low = block[8 + i % 16] >> (i < 16 ? 0 : 4) & 15;
    to[i] = scale * static_cast<float>(low | (high >> i & 1) << 4) + minimum;
  }
}

void encode(const float* from, uint8_t* block) {
  const auto [least, most] = std::minmax_element(from, from + kBlock);
  const float minimum = *least, scale = (*most - minimum) / 31, inverse = scale != 0 ? 1 / scale : 0.0f;
  formats::put_half(scale, block);
  formats::put_half(minimum, block + 2);
  std::memset(block + 4, 0, 20);
  for (size_t i = 0; i < kBlock; ++i) {
    const float scaled = (from[i] - minimum) * inverse + 0.5f;
    const auto code = static_cast<uint8_t>(scaled >= 0 ? std::min(scaled, 31.0f) : 0);  // NaN: 0
    block[4 + i / 8] |= static_cast<uint8_t>((code >> 4) << i % 8);
    block[8 + i % 16] |= static_cast<uint8_t>((code & 15) << (i < 16 ? 0 : 4));
  }
}

}  // namespace

const FormatOps formats::q5_1 = Q51::both<decode, encode>(Format::q5_1);

}  // namespace braid
