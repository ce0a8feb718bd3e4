// mxfp4 (OCP Microscaling Formats, version 1.0) as GGUF lays it out: per 32 elements an exponent byte, then 16 bytes;
// byte i holds element i in its low nibble and element i + 16 in its high one, as e2m1. value = 2^(exponent - 127) ·
// e2m1.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "formats/blocks.h"
#include "formats/e2m1.h"
#include "formats/fit.h"

namespace braid {
namespace {

constexpr size_t kBlock = 32;

void decode(const uint8_t* block, float* to) {
  const float scale = formats::e8m0(block[0]);
  for (size_t i = 0; i < kBlock / 2; ++i) {
    to[i] = scale * formats::kE2m1[block[1 + i] & 15];
    to[i + 16] = scale * formats::kE2m1[block[1 + i] >> 4];
  }
}

/// The nearest, halves to the even code.
uint8_t code_of(float x) {
  constexpr float kMiddles[] = {0.25f, 0.75f, 1.25f, 1.75f, 2.5f, 3.5f, 5.0f};
  const float magnitude = std::fabs(x);
  uint8_t code = 0;
  for (const float middle : kMiddles) code += magnitude > middle || (magnitude == middle && code % 2 == 1) ? 1 : 0;
  return static_cast<uint8_t>(code | (std::signbit(x) ? 8 : 0));
}

float error_of(std::span<const float> x, int exponent) {
  const float scale = formats::e8m0(static_cast<uint8_t>(exponent));
  float error = 0;
  for (const float v : x) {
    const float d = scale * formats::kE2m1[code_of(v / scale)] - v;
    error += d * d;
  }
  return error;
}

void encode(const float* from, uint8_t* block) {
  const std::span<const float> x(from, kBlock);
  float greatest = 0;
  for (const float v : x) greatest = std::max(greatest, std::fabs(v));
  std::memset(block, 0, 17);
  if (!formats::all_finite(x)) block[0] = 255;  // NaN
  if (greatest == 0 || block[0] == 255) return;
  // The standard's exponent puts the greatest into 4 … 8, where what lies above 6 is cut: twice that may lose less.
  const int standard = std::clamp(std::ilogb(greatest) - 2 + 127, 0, 253);
  const int exponent = error_of(x, standard + 1) < error_of(x, standard) ? standard + 1 : standard;
  const float scale = formats::e8m0(static_cast<uint8_t>(exponent));
  block[0] = static_cast<uint8_t>(exponent);
  for (size_t i = 0; i < kBlock / 2; ++i)
    block[1 + i] = static_cast<uint8_t>(code_of(from[i] / scale) | code_of(from[i + 16] / scale) << 4);
}

/// The scale is a power of two.
void assemble(const CodedGroup& group, std::byte* to) {
  auto* block = reinterpret_cast<uint8_t*>(to);
  block[0] = static_cast<uint8_t>(std::bit_cast<uint32_t>(group.scale) >> 23);
  for (size_t i = 0; i < kBlock / 2; ++i)
    block[1 + i] = static_cast<uint8_t>(group.codes[i] | group.codes[i + 16] << 4);
}

using Mxfp4 = formats::Blocks<kBlock, 17>;

}  // namespace

const FormatOps formats::mxfp4{.format = Format::mxfp4,
                               .encode = Mxfp4::encode<encode>,
                               .decode = Mxfp4::decode<decode>,
                               .weight_class = WeightClass::decoded,
                               .assemble = assemble};

}  // namespace braid
