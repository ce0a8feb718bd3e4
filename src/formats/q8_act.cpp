// Activations that meet weights of the integer class: per row K codes, then K / 32 f32 scales, then K / 32 i32 starts.
// Groups of 128 codes share a scale, which each of their blocks of 32 holds (the last group may have fewer blocks). A
// block's start is -128 · Σ codes: the products of codes with weights around the zero point 128 begin there, since
// Σ x·(w - z) = Σ x·w - z·Σ x. Kernels match it bit for bit:
//   greatest = max |x| of the group;  inverse = greatest < 2⁻⁹⁰ ? 0 : 127 / greatest;  code = nearest even (x ·
//   inverse); scale = greatest / 127.
// (From 2⁻⁹⁰ on, products of scales stay normal numbers.) A group that holds NaN or an infinity has codes 0 and the
// scale NaN, so that every product with it is NaN: nothing is silently lost.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "formats/formats.h"

namespace braid {
namespace {

constexpr size_t kBlock = 32, kGroup = 128;

void encode(std::span<const float> row, std::byte* to) {
  auto* codes = reinterpret_cast<int8_t*>(to);
  std::byte* scales = to + row.size();
  std::byte* starts = scales + row.size() / kBlock * sizeof(float);
  float inverse = 0, scale = 0;
  for (size_t at = 0; at < row.size(); at += kBlock) {
    if (at % kGroup == 0) {
      float greatest = 0;
      bool finite = true;
      for (size_t i = at; i < std::min(at + kGroup, row.size()); ++i) {
        greatest = std::max(greatest, std::fabs(row[i]));
        finite = finite && std::isfinite(row[i]);
      }
      inverse = !finite || greatest < 0x1p-90f ? 0.0f : 127.0f / greatest;
      scale = finite ? greatest / 127.0f : std::numeric_limits<float>::quiet_NaN();
    }
    int32_t start = 0;
    for (size_t i = at; i < at + kBlock; ++i) {
      codes[i] = std::isfinite(row[i]) ? static_cast<int8_t>(std::nearbyint(row[i] * inverse)) : int8_t{0};
      start -= 128 * codes[i];
    }
    std::memcpy(scales + at / kBlock * sizeof scale, &scale, sizeof scale);
    std::memcpy(starts + at / kBlock * sizeof start, &start, sizeof start);
  }
}

void decode(const std::byte* row, std::span<float> to) {
  const auto* codes = reinterpret_cast<const int8_t*>(row);
  for (size_t at = 0; at < to.size(); at += kBlock) {
    float scale;
    std::memcpy(&scale, row + to.size() + at / kBlock * sizeof scale, sizeof scale);
    for (size_t i = 0; i < kBlock; ++i) to[at + i] = static_cast<float>(codes[at + i]) * scale;
  }
}

}  // namespace

const FormatOps formats::q8_act{.format = Format::q8_act, .encode = encode, .decode = decode};

}  // namespace braid
