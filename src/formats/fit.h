#pragma once
// Scales that lose least: the search that block formats make for each group of numbers when they encode. Given codes,
// the best scale (and minimum) is a least-squares solution; given a scale, the best codes are the nearest ones. So a
// few scales around the one that just covers the greatest number are tried, and each is refined once.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace braid::formats {

/// To the nearest integer, halves to even, for |x| < 2²²: one addition, which compilers turn into vectors.
inline float nearest(float x) { return (x + 0x1.8p23f) - 0x1.8p23f; }
/// The nearest of lowest … highest; NaN gives lowest.
inline float nearest_code(float x, float lowest, float highest) {
  return std::min(std::max(nearest(std::min(std::max(x, lowest), highest)), lowest), highest);
}

/// Whether all numbers are finite: what is not cannot be fitted.
inline bool all_finite(std::span<const float> x) {
  float sum = 0;
  for (const float v : x) sum += v * 0;
  return sum == 0;
}

/// value = scale · code, of signed codes.
struct ScaleFit {
  float scale = 0, error = 0;
};

/// `on_grid(x)` is the number of the grid next to x; `reach` the grid's greatest magnitude, of the sign that it has.
/// Error: Σ (scale · on_grid - x)².
template <class OnGrid>
ScaleFit fit_scale(std::span<const float> x, float reach, const OnGrid& on_grid) {
  float greatest = 0, squares = 0;
  for (const float v : x) {
    if (std::fabs(v) > std::fabs(greatest)) greatest = v;
    squares += v * v;
  }
  if (greatest == 0 || !all_finite(x)) return {};
  ScaleFit best{0, squares};
  constexpr int kTries = 9;
  for (int i = -kTries; i <= kTries; ++i) {
    const float inverse = (reach + static_cast<float>(i) * 0.1f * std::min(std::fabs(reach) / 8, 1.0f)) / greatest;
    if (!std::isfinite(inverse)) continue;
    float xq = 0, qq = 0;
    for (const float v : x) {
      const float q = on_grid(v * inverse);
      xq += v * q;
      qq += q * q;
    }
    if (qq <= 0) continue;
    const float error = squares - xq * xq / qq;
    if (error < best.error) best = {xq / qq, error};
  }
  return best;
}

/// value = scale · code + minimum, codes 0 … top, minimum ≤ 0.
struct AffineFit {
  float scale = 0, minimum = 0;
};

/// Σ (scale · code + minimum - x)² with the nearest codes.
inline float affine_error(std::span<const float> x, float scale, float minimum, float top) {
  const float inverse = scale > 0 ? 1 / scale : 0;
  float error = 0;
  for (const float v : x) {
    const float d = scale * nearest_code((v - minimum) * inverse, 0, top) + minimum - v;
    error += d * d;
  }
  return error;
}

inline AffineFit fit_affine(std::span<const float> x, float top) {
  if (!all_finite(x)) return {};
  const auto [least, most] = std::minmax_element(x.begin(), x.end());
  const float low = std::min(*least, 0.0f), range = *most - low, n = static_cast<float>(x.size());
  if (!(range > 0) || !std::isfinite(top / range)) return {0, low};
  float sum = 0;
  for (const float v : x) sum += v;
  AffineFit best{range / top, low};
  float least_error = affine_error(x, best.scale, best.minimum, top);
  constexpr int kTries = 10;
  for (int i = -kTries; i <= kTries; ++i) {
    const float inverse = (top + static_cast<float>(i) * 0.1f) / range;
    float q1 = 0, qq = 0, xq = 0;  // Σ code, Σ code², Σ x · code
    for (const float v : x) {
      const float q = nearest_code((v - low) * inverse, 0, top);
      q1 += q;
      qq += q * q;
      xq += v * q;
    }
    const float determinant = n * qq - q1 * q1;
    if (determinant <= 0) continue;
    AffineFit fit{(n * xq - q1 * sum) / determinant, (qq * sum - q1 * xq) / determinant};
    if (fit.minimum > 0) fit = {xq / qq, 0};
    if (!(fit.scale > 0)) continue;
    const float error = affine_error(x, fit.scale, fit.minimum, top);
    if (error < least_error) {
      least_error = error;
      best = fit;
    }
  }
  return best;
}

}  // namespace braid::formats
