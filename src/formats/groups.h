#pragma once
// The formats that the Hub's quantised checkpoints become when they are loaded: a block is a group of codes along a
// row, an f32 scale (whatever the file's own is: f16, bf16, f32, or a product of two, is held exactly), and for
// integers the zero point. Nothing is rounded on the way: a block decodes to the bits that the checkpoint's definition
// gives.

#include <array>
#include <cstdint>

#include "formats/blocks.h"

namespace braid::formats {

/// What a code means: `bits` of a code in memory (4 or 8), whether groups have a zero point, and the number.
template <class Code, size_t N>
struct Groups {
  static constexpr size_t kHead = sizeof(float) + (Code::kZero ? 1 : 0);
  static constexpr size_t kBytes = kHead + N * Code::kBits / 8;

  static void decode(const uint8_t* block, float* to) {
    const float scale = f32_at(block);
    const uint8_t zero = Code::kZero ? block[sizeof(float)] : 0;
    const uint8_t* codes = block + kHead;
    for (size_t i = 0; i < N; ++i)
      to[i] = Code::value(Code::kBits == 8 ? codes[i] : static_cast<uint8_t>(codes[i / 2] >> 4 * (i % 2) & 15), zero,
                          scale);
  }

  static void assemble(const CodedGroup& group, std::byte* to) {
    auto* block = reinterpret_cast<uint8_t*>(to);
    put_f32(group.scale, block);
    if (Code::kZero) block[sizeof(float)] = group.zero;
    uint8_t* codes = block + kHead;
    for (size_t i = 0; i < N * Code::kBits / 8; ++i)
      codes[i] =
          Code::kBits == 8 ? group.codes[i] : static_cast<uint8_t>(group.codes[2 * i] | group.codes[2 * i + 1] << 4);
  }

  static constexpr FormatOps ops(Format format) {
    return {format, nullptr, Blocks<N, kBytes>::template decode<decode>, WeightClass::decoded, {}, assemble};
  }
};

/// value = scale · (code - zero).
template <size_t Bits>
struct IntegerCode {
  static constexpr size_t kBits = Bits;
  static constexpr bool kZero = true;
  static float value(uint8_t code, uint8_t zero, float scale) { return scale * static_cast<float>(code - zero); }
};

/// value = table[code] · scale.
template <const std::array<float, 16>& Table>
struct TableCode {
  static constexpr size_t kBits = 4;
  static constexpr bool kZero = false;
  static float value(uint8_t code, uint8_t, float scale) { return Table[code] * scale; }
};

}  // namespace braid::formats
