// GGUF's q4_0: per 32 elements an f16 scale, then 16 bytes: byte i holds element i in its low nibble and element i + 16
// in its high one, as code + 8. Bit for bit what ggml's reference writes: the element of greatest magnitude becomes the
// code -8 exactly (so the scale has its opposite sign), codes come from the scale before it is rounded to f16.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "formats/formats.h"
#include "formats/half.h"

namespace braid {
namespace {

constexpr size_t kBlock = 32, kBlockBytes = 18;
constexpr int kZeroPoint = 8;

uint8_t to_code(float scaled) {
  const float code = scaled + 8.5f;                                    // ≥ 0: truncation rounds halves up
  return static_cast<uint8_t>(code >= 0 ? std::min(code, 15.0f) : 0);  // NaN: 0
}

void write(uint16_t scale, const uint8_t* codes, std::byte* block) {
  std::memcpy(block, &scale, sizeof scale);
  for (size_t i = 0; i < kBlock / 2; ++i) block[2 + i] = static_cast<std::byte>(codes[i] | codes[i + 16] << 4);
}

uint16_t read(const std::byte* block, uint8_t* codes) {
  uint16_t scale;
  std::memcpy(&scale, block, sizeof scale);
  for (size_t i = 0; i < kBlock / 2; ++i) {
    codes[i] = static_cast<uint8_t>(block[2 + i]) & 15u;
    codes[i + 16] = static_cast<uint8_t>(block[2 + i]) >> 4;
  }
  return scale;
}

void encode(std::span<const float> row, std::byte* to) {
  for (size_t at = 0; at < row.size(); at += kBlock, to += kBlockBytes) {
    float greatest = 0;
    for (size_t i = 0; i < kBlock; ++i)
      if (std::fabs(greatest) < std::fabs(row[at + i])) greatest = row[at + i];
    const float scale = greatest / -8, inverse = scale != 0 ? 1.0f / scale : 0.0f;
    uint8_t codes[kBlock];
    for (size_t i = 0; i < kBlock; ++i) codes[i] = to_code(row[at + i] * inverse);
    write(float_to_half(scale), codes, to);
  }
}

void decode(const std::byte* row, std::span<float> to) {
  uint8_t codes[kBlock];
  for (size_t at = 0; at < to.size(); at += kBlock, row += kBlockBytes) {
    const float scale = half_to_float(read(row, codes));
    for (size_t i = 0; i < kBlock; ++i) to[at + i] = static_cast<float>(codes[i] - kZeroPoint) * scale;
  }
}

}  // namespace

const FormatOps formats::q4_0{.format = Format::q4_0,
                              .encode = encode,
                              .decode = decode,
                              .weight_class = WeightClass::integer,
                              .blocks = {.bits = 4, .zero_point = kZeroPoint, .read = read, .write = write}};

}  // namespace braid
