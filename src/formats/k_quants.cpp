#include "formats/k_quants.h"

#include <algorithm>
#include <limits>
#include <span>

#include "formats/blocks.h"
#include "formats/fit.h"

namespace braid::formats {
namespace {

constexpr size_t kGroup = 32, kGroups = 8;
constexpr int kTopScale = 63;

void put_scale_and_minimum(uint8_t* packed, size_t j, int scale, int minimum) {
  if (j < 4) {
    packed[j] = static_cast<uint8_t>(packed[j] | scale);
    packed[j + 4] = static_cast<uint8_t>(packed[j + 4] | minimum);
  } else {
    packed[j + 4] = static_cast<uint8_t>((scale & 15) | minimum << 4);
    packed[j - 4] = static_cast<uint8_t>(packed[j - 4] | (scale >> 4) << 6);
    packed[j] = static_cast<uint8_t>(packed[j] | (minimum >> 4) << 6);
  }
}

int clamped(float code) { return static_cast<int>(nearest_code(code, 0, kTopScale)); }

}  // namespace

KBlock fit_k_block(const float* from, float top) {
  KBlock block;
  if (!all_finite({from, kSuper})) {
    put_half(std::numeric_limits<float>::quiet_NaN(), block.head.data());
    return block;
  }
  std::array<AffineFit, kGroups> fits;
  float scales = 0, minima = 0;  // the greatest
  for (size_t g = 0; g < kGroups; ++g) {
    fits[g] = fit_affine({from + g * kGroup, kGroup}, top);
    scales = std::max(scales, fits[g].scale);
    minima = std::max(minima, -fits[g].minimum);
  }
  const float d = put_half(scales / kTopScale, block.head.data());
  const float dmin = put_half(minima / kTopScale, block.head.data() + 2);
  for (size_t g = 0; g < kGroups; ++g) {
    const std::span<const float> x(from + g * kGroup, kGroup);
    const int near_scale = clamped(d > 0 ? fits[g].scale / d : 0),
              near_minimum = clamped(dmin > 0 ? -fits[g].minimum / dmin : 0);
    int scale = near_scale, minimum = near_minimum;
    float least = std::numeric_limits<float>::infinity();
    for (int s = std::max(near_scale - 1, 0); s <= std::min(near_scale + 1, kTopScale); ++s)
      for (int m = std::max(near_minimum - 1, 0); m <= std::min(near_minimum + 1, kTopScale); ++m) {
        const float error = affine_error(x, d * static_cast<float>(s), -dmin * static_cast<float>(m), top);
        if (error < least) {
          least = error;
          scale = s;
          minimum = m;
        }
      }
    put_scale_and_minimum(block.head.data() + 4, g, scale, minimum);
    const float step = d * static_cast<float>(scale), low = dmin * static_cast<float>(minimum);
    const float inverse = step > 0 ? 1 / step : 0;
    for (size_t i = 0; i < kGroup; ++i)
      block.codes[g * kGroup + i] = static_cast<uint8_t>(nearest_code((x[i] + low) * inverse, 0, top));
  }
  return block;
}

}  // namespace braid::formats
