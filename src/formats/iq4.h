#pragma once
// The sixteen numbers of iq4_nl and iq4_xs: denser around zero, as weights are.

#include <array>
#include <cstddef>

namespace braid::formats {

inline constexpr std::array<float, 16> kIq4 = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

/// The index of the one next to x; NaN gives the first.
inline size_t iq4_code(float x) {
  size_t code = 0;
  while (code < 15 && x > (kIq4[code] + kIq4[code + 1]) / 2) ++code;
  return code;
}

}  // namespace braid::formats
