#pragma once
// Block formats from one function per block, and the numbers that lie in blocks: little-endian, at any alignment.

#include <cstring>

#include "formats/formats.h"
#include "formats/half.h"

namespace braid::formats {

inline uint16_t u16_at(const uint8_t* at) { return static_cast<uint16_t>(at[0] | at[1] << 8); }
inline uint32_t u32_at(const uint8_t* at) { return u16_at(at) | static_cast<uint32_t>(u16_at(at + 2)) << 16; }
inline float half_at(const uint8_t* at) { return half_to_float(u16_at(at)); }
inline float f32_at(const uint8_t* at) { return std::bit_cast<float>(u32_at(at)); }
/// Writes `x` rounded to f16; what was written.
inline float put_half(float x, uint8_t* at) {
  const uint16_t half = float_to_half(x);
  std::memcpy(at, &half, sizeof half);
  return half_to_float(half);
}
inline void put_f32(float x, uint8_t* at) { std::memcpy(at, &x, sizeof x); }

/// A block of `Elements` numbers in `Bytes` bytes.
template <size_t Elements, size_t Bytes>
struct Blocks {
  using Decode = void (*)(const uint8_t* block, float* to);
  using Encode = void (*)(const float* from, uint8_t* block);

  template <Decode Block>
  static void decode(const std::byte* row, std::span<float> to) {
    const auto* block = reinterpret_cast<const uint8_t*>(row);
    for (size_t at = 0; at < to.size(); at += Elements, block += Bytes) Block(block, to.data() + at);
  }
  template <Encode Block>
  static void encode(std::span<const float> row, std::byte* to) {
    auto* block = reinterpret_cast<uint8_t*>(to);
    for (size_t at = 0; at < row.size(); at += Elements, block += Bytes) Block(row.data() + at, block);
  }
  /// A format that is decoded where it is multiplied.
  template <Decode Read, Encode Write>
  static constexpr FormatOps both(Format format) {
    return {format, encode<Write>, decode<Read>, WeightClass::decoded, {}, nullptr};
  }
  template <Decode Read>
  static constexpr FormatOps read_only(Format format) {
    return {format, nullptr, decode<Read>, WeightClass::decoded, {}, nullptr};
  }
};

}  // namespace braid::formats
