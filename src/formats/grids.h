#pragma once
// What the iq formats share: tables of vectors, and signs of eight numbers in seven bits.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace braid::formats {

extern const std::array<uint16_t, 2048> kIq1S;   ///< 8 × 2 bits: -1, 0, 1
extern const std::array<uint16_t, 256> kIq2Xxs;  ///< 8 × 2 bits into kIq2Values
extern const std::array<uint16_t, 512> kIq2Xs;
extern const std::array<uint16_t, 1024> kIq2S;
extern const std::array<uint16_t, 256> kIq3Xxs;  ///< 4 × 3 bits
extern const std::array<uint16_t, 512> kIq3S;

inline constexpr std::array<float, 4> kIq2Values = {8, 25, 43, 0};

/// Bit i: number i is negative. The eighth sign makes the number of negative ones even.
inline uint8_t signs_of(uint32_t seven) {
  return static_cast<uint8_t>(seven | static_cast<uint32_t>(std::popcount(seven) & 1) << 7);
}

/// Eight numbers of an entry: scale · value · sign, in this order.
inline void eight_of(uint16_t entry, const std::array<float, 4>& values, uint8_t signs, float scale, float* to) {
  for (int i = 0; i < 8; ++i) {
    const float x = scale * values[entry >> 2 * i & 3];
    to[i] = (signs >> i & 1) != 0 ? -x : x;
  }
}

/// Four numbers of an entry of three bits each.
inline void four_of(uint16_t entry, const std::array<float, 8>& values, uint8_t signs, float scale, float* to) {
  for (int i = 0; i < 4; ++i) {
    const float x = scale * values[entry >> 3 * i & 7];
    to[i] = (signs >> i & 1) != 0 ? -x : x;
  }
}

}  // namespace braid::formats
