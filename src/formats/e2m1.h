#pragma once
// The sixteen numbers of four bits (sign, two of exponent, one of mantissa): OCP Microscaling Formats, version 1.0.

#include <array>
#include <bit>
#include <cstdint>

namespace braid::formats {

inline constexpr std::array<float, 16> kE2m1 = {0.0f,  0.5f,  1.0f,  1.5f,  2.0f,  3.0f,  4.0f,  6.0f,
                                                -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};

/// 2^(exponent - 127), by its bits: the least one is subnormal; 255 is NaN.
inline float e8m0(uint8_t exponent) {
  return std::bit_cast<float>(exponent == 0     ? 0x00400000u
                              : exponent == 255 ? 0x7fc00000u
                                                : static_cast<uint32_t>(exponent) << 23);
}

}  // namespace braid::formats
