// Activations that meet weights of the integer class: per row K codes, then K / 32 f32 scales, then K / 32 i32 sums of
// codes (a product with codes around a zero point z needs Σ x·(w - z) = Σ x·w - z·Σ x). Kernels match it bit for bit:
//   greatest = max |x|;  inverse = greatest < 2⁻¹¹⁹ ? 0 : 127 / greatest;  code = nearest even (x · inverse);
//   scale = greatest / 127.
// (Below 2⁻¹¹⁹ the inverse would overflow.) A block that holds NaN or an infinity has codes 0 and the scale NaN, so
// that every product with it is NaN: nothing is silently lost.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "formats/formats.h"

namespace braid {
namespace {

constexpr size_t kBlock = 32;

void encode(std::span<const float> row, std::byte* to) {
  auto* codes = reinterpret_cast<int8_t*>(to);
  std::byte* scales = to + row.size();
  std::byte* sums = scales + row.size() / kBlock * sizeof(float);
  for (size_t at = 0; at < row.size(); at += kBlock) {
    float greatest = 0;
    bool finite = true;
    for (size_t i = 0; i < kBlock; ++i) {
      greatest = std::max(greatest, std::fabs(row[at + i]));
      finite = finite && std::isfinite(row[at + i]);
    }
    const float inverse = !finite || greatest < 0x1p-119f ? 0.0f : 127.0f / greatest;
    const float scale = finite ? greatest / 127.0f : std::numeric_limits<float>::quiet_NaN();
    int32_t sum = 0;
    for (size_t i = 0; i < kBlock; ++i) {
      codes[at + i] = finite ? static_cast<int8_t>(std::nearbyint(row[at + i] * inverse)) : int8_t{0};
      sum += codes[at + i];
    }
    std::memcpy(scales + at / kBlock * sizeof scale, &scale, sizeof scale);
    std::memcpy(sums + at / kBlock * sizeof sum, &sum, sizeof sum);
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
