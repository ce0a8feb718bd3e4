// GGUF's q4_1: per 32 elements an f16 scale and an f16 minimum, then 16 bytes: byte i holds element i in its low nibble
// and element i + 16 in its high one. value = scale · code + minimum. Bit for bit what ggml's reference writes.
#include <algorithm>

#include "formats/blocks.h"

namespace braid {
namespace {

constexpr size_t kBlock = 32;
using Q41 = formats::Blocks<kBlock, 20>;

void decode(const uint8_t* block, float* to) {
  const float scale = formats::half_at(block), minimum = formats::half_at(block + 2);
  for (size_t i = 0; i < kBlock / 2; ++i) {
    to[i] = scale * static_cast<float>(block[4 + i] & 15) + minimum;
    to[i + 16] = scale * static_cast<float>(block[4 + i] >> 4) + minimum;
  }
}

void encode(const float* from, uint8_t* block) {
  const auto [least, most] = std::minmax_element(from, from + kBlock);
  const float minimum = *least, scale = (*most - minimum) / 15, inverse = scale != 0 ? 1 / scale : 0.0f;
  formats::put_half(scale, block);
  formats::put_half(minimum, block + 2);
  const auto code = [&](float x) {
    const float scaled = (x - minimum) * inverse + 0.5f;
    return static_cast<uint8_t>(scaled >= 0 ? std::min(scaled, 15.0f) : 0);  // NaN: 0
  };
  for (size_t i = 0; i < kBlock / 2; ++i) block[4 + i] = static_cast<uint8_t>(code(from[i]) | code(from[i + 16]) << 4);
}

}  // namespace

const FormatOps formats::q4_1 = Q41::both<decode, encode>(Format::q4_1);

}  // namespace braid
