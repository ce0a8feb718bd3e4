#pragma once
// Tests that run on every table of kernels that this machine can run, and what they share.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "backend/cpu/kernels.h"

namespace braid::cpu {

inline constexpr double kEpsilon = 0x1p-24;  // half a unit in the last place of f32, relative

class EveryTable : public testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& kernels() const { return *GetParam(); }
};

inline std::vector<const Kernels*> available_tables() {
  std::vector<const Kernels*> tables;
  for (const KernelSet& set : kernel_sets()) {
    if (set.available) tables.push_back(set.kernels);
  }
  return tables;
}
inline std::string table_name(const testing::TestParamInfo<const Kernels*>& info) { return info.param->name; }
#define BRAID_EVERY_TABLE(Suite) \
  INSTANTIATE_TEST_SUITE_P(Tables, Suite, testing::ValuesIn(available_tables()), table_name)

inline std::vector<float> random_floats(int64_t n, uint32_t seed, float low = -1, float high = 1) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& v : values) v = uniform(generator);
  return values;
}

inline float float_from_bf16(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}
inline uint16_t bf16_from_float(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
/// Written from the definition of IEEE 754 binary16.
inline double double_from_f16(uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  double magnitude;
  if (exponent == 31) {
    magnitude = fraction == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    magnitude = std::ldexp(fraction, -24);
  } else {
    magnitude = std::ldexp(1024 + fraction, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

inline bool same_bits(const float* a, const float* b, int64_t n) {
  return std::memcmp(a, b, static_cast<size_t>(n) * sizeof(float)) == 0;
}

}  // namespace braid::cpu
