// GGUF's q8_0: per 32 elements an f16 scale, then 32 signed codes. Bit for bit what ggml's reference writes: codes come
// from the scale before it is rounded to f16, halves away from zero.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "formats/formats.h"
#include "formats/half.h"

namespace braid {
namespace {

constexpr size_t kBlock = 32, kBlockBytes = 34;
constexpr int kZeroPoint = 128;

void encode(std::span<const float> row, std::byte* to) {
  for (size_t at = 0; at < row.size(); at += kBlock, to += kBlockBytes) {
    float greatest = 0;
    for (size_t i = 0; i < kBlock; ++i) greatest = std::max(greatest, std::fabs(row[at + i]));
    const float scale = greatest / 127, inverse = scale != 0 ? 1.0f / scale : 0.0f;
    const uint16_t stored = float_to_half(scale);
    std::memcpy(to, &stored, sizeof stored);
    for (size_t i = 0; i < kBlock; ++i) {
      const float code = std::round(row[at + i] * inverse);
      // Beyond the codes only when the row holds an infinity or NaN, or `inverse` overflowed.
      const auto kept = static_cast<int8_t>(code >= -127 && code <= 127 ? code : 0);
      to[2 + i] = static_cast<std::byte>(kept);
    }
  }
}

uint16_t read(const std::byte* block, uint8_t* codes) {
  uint16_t scale;
  std::memcpy(&scale, block, sizeof scale);
  for (size_t i = 0; i < kBlock; ++i) codes[i] = static_cast<uint8_t>(block[2 + i]) ^ 0x80u;  // + 128
  return scale;
}

void write(uint16_t scale, const uint8_t* codes, std::byte* block) {
  std::memcpy(block, &scale, sizeof scale);
  for (size_t i = 0; i < kBlock; ++i) block[2 + i] = static_cast<std::byte>(codes[i] ^ 0x80u);
}

void decode(const std::byte* row, std::span<float> to) {
  for (size_t at = 0; at < to.size(); at += kBlock, row += kBlockBytes) {
    uint16_t stored;
    std::memcpy(&stored, row, sizeof stored);
    const float scale = half_to_float(stored);
    for (size_t i = 0; i < kBlock; ++i) to[at + i] = static_cast<float>(static_cast<int8_t>(row[2 + i])) * scale;
  }
}

}  // namespace

const FormatOps formats::q8_0{.format = Format::q8_0,
                              .encode = encode,
                              .decode = decode,
                              .weight_class = WeightClass::integer,
                              .blocks = {.bits = 8, .zero_point = kZeroPoint, .read = read, .write = write}};

}  // namespace braid
