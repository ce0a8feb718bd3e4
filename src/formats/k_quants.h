#pragma once
// What q4_k and q5_k share: eight 6-bit scales and eight 6-bit minima in twelve bytes, and the search for them.

#include <array>
#include <cstddef>
#include <cstdint>

namespace braid::formats {

inline constexpr size_t kSuper = 256;  ///< elements of a k-quant's block

/// Byte j < 4 holds scale j in its low six bits, byte 4 + j minimum j. Byte 8 + j holds the low nibbles of scale and
/// minimum 4 + j, whose two high bits top the bytes j and 4 + j.
inline void scale_and_minimum(const uint8_t* packed, size_t j, int& scale, int& minimum) {
  if (j < 4) {
    scale = packed[j] & 63;
    minimum = packed[j + 4] & 63;
  } else {
    scale = (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
    minimum = packed[j + 4] >> 4 | (packed[j] >> 6) << 4;
  }
}

/// A block of eight groups of 32 as q4_k (top 15) and q5_k (top 31) hold it, but for the codes' place.
struct KBlock {
  std::array<uint8_t, 16> head = {};  ///< f16 factors of the scales and of the minima, then the twelve bytes
  std::array<uint8_t, kSuper> codes = {};
};
/// Least squares per group, then among the neighbouring 6-bit scales and minima. Numbers that are not finite make their
/// block NaN.
KBlock fit_k_block(const float* from, float top);

}  // namespace braid::formats
