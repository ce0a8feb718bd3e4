// GGUF's q6_K: per 256 elements 128 bytes of low nibbles, 64 bytes of two high bits each, 16 signed 8-bit scales, one
// of 16 elements each, and an f16 factor. In each half of 128, nibble byte j holds elements j (low) and j + 64 (high),
// high byte j the bits of elements j, j + 32, j + 64 and j + 96, the first one lowest. value = (d · scale) · (code -
// 32).
#include <array>
#include <cmath>
#include <limits>

#include "formats/blocks.h"
#include "formats/fit.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

constexpr size_t kGroup = 16, kGroups = 16;

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block + 208);
  for (size_t i = 0; i < formats::kSuper; ++i) {
    const size_t half = i / 128, j = i % 128;
    const int low = block[half * 64 + j % 64] >> (j < 64 ? 0 : 4) & 15;
    const int high = block[128 + half * 32 + j % 32] >> 2 * (j / 32) & 3;
    const float scale = d * static_cast<float>(static_cast<int8_t>(block[192 + i / 16]));
    to[i] = scale * static_cast<float>((low | high << 4) - 32);
  }
}

float code_of(float x) { return formats::nearest_code(x, -32, 31); }

float error_of(std::span<const float> x, float scale) {
  const float inverse = scale != 0 ? 1 / scale : 0;
  float error = 0;
  for (const float v : x) {
    const float d = scale * code_of(v * inverse) - v;
    error += d * d;
  }
  return error;
}

void encode(const float* from, uint8_t* block) {
  std::memset(block, 0, 210);
  if (!formats::all_finite({from, formats::kSuper})) {
    formats::put_half(std::numeric_limits<float>::quiet_NaN(), block + 208);
    return;
  }
  std::array<float, kGroups> scales;
  float greatest = 0;
  for (size_t g = 0; g < kGroups; ++g) {
    scales[g] = formats::fit_scale({from + g * kGroup, kGroup}, -32, code_of).scale;
    if (std::fabs(scales[g]) > std::fabs(greatest)) greatest = scales[g];
  }
  const float d = formats::put_half(greatest / -128, block + 208);
  if (d == 0) return;
  for (size_t g = 0; g < kGroups; ++g) {
    const std::span<const float> x(from + g * kGroup, kGroup);
    const float near = formats::nearest_code(scales[g] / d, -128, 127);
    float scale = near, least = std::numeric_limits<float>::infinity();
    for (float s = std::max(near - 1, -128.0f); s <= std::min(near + 1, 127.0f); ++s)
      if (const float error = error_of(x, d * s); error < least) {
        least = error;
        scale = s;
      }
    block[192 + g] = static_cast<uint8_t>(static_cast<int8_t>(scale));
    const float step = d * scale, inverse = step != 0 ? 1 / step : 0;
    for (size_t i = g * kGroup; i < (g + 1) * kGroup; ++i) {
      const size_t half = i / 128, j = i % 128;
      const int code = static_cast<int>(code_of(from[i] * inverse)) + 32;
      uint8_t &low = block[half * 64 + j % 64], &high = block[128 + half * 32 + j % 32];
      low = static_cast<uint8_t>(low | (code & 15) << (j < 64 ? 0 : 4));
      high = static_cast<uint8_t>(high | (code >> 4) << 2 * (j / 32));
    }
  }
}

}  // namespace

const FormatOps formats::q6_k = formats::Blocks<kSuper, 210>::both<decode, encode>(Format::q6_k);

}  // namespace braid
