#pragma once
// Any small binary float with an implicit leading bit, by its definition rather than by tricks: slow, exact.

#include <cmath>
#include <cstdint>

namespace braid {

/// `Infinite`: the greatest exponent holds infinity and NaNs (IEEE); else it holds numbers, and only all ones is NaN
/// (the "fn" variants; what lies beyond their range becomes NaN).
template <int Exponent, int Mantissa, bool Infinite>
struct SmallFloat {
  static constexpr int kBias = (1 << (Exponent - 1)) - 1;
  static constexpr uint32_t kSign = 1u << (Exponent + Mantissa);
  static constexpr uint32_t kTop = ((1u << Exponent) - 1) << Mantissa;  // greatest exponent
  static constexpr uint32_t kNan = Infinite ? kTop | 1u << (Mantissa - 1) : kSign - 1;
  static constexpr uint32_t kBeyond = Infinite ? kTop : kSign - 1;  // what overflow gives

  static uint32_t encode(float number) {
    const uint32_t sign = std::signbit(number) ? kSign : 0;
    if (std::isnan(number)) return sign | kNan;
    if (std::isinf(number)) return sign | kBeyond;
    const double magnitude = std::fabs(static_cast<double>(number));
    if (magnitude == 0) return sign;
    const int exponent = std::max(std::ilogb(magnitude), 1 - kBias);
    // In units of the last place; the implicit bit carries into the exponent by itself.
    const auto units = static_cast<int64_t>(std::nearbyint(std::ldexp(magnitude, Mantissa - exponent)));
    const int64_t code = (static_cast<int64_t>(exponent + kBias - 1) << Mantissa) + units;
    return sign | (code >= kBeyond ? kBeyond : static_cast<uint32_t>(code));
  }

  static float decode(uint32_t code) {
    const float sign = (code & kSign) != 0 ? -1.0f : 1.0f;
    const uint32_t magnitude = code & (kSign - 1);
    if (Infinite ? magnitude > kTop : magnitude == kNan) return std::copysign(NAN, sign);
    if (Infinite && magnitude == kTop) return std::copysign(INFINITY, sign);
    const auto exponent = static_cast<int>(magnitude >> Mantissa);
    const uint32_t units = (magnitude & ((1u << Mantissa) - 1)) + (exponent > 0 ? 1u << Mantissa : 0);
    return sign * std::ldexp(static_cast<float>(units), std::max(exponent, 1) - kBias - Mantissa);
  }
};

}  // namespace braid
