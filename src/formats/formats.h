#pragma once
// How bytes become numbers: one file per format, one line each in formats/list.inc. Nothing else switches on a format.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/tensor.h"

namespace braid {

/// What kernels know of weights: a new format that maps onto a class needs no kernel.
enum class WeightClass : uint8_t {
  f32,
  half,     ///< bf16, f16
  integer,  ///< blocks of 32 codes along a row with one scale (one level)
  decoded,  ///< any other blocks: a few rows at a time become f32 where they are multiplied
};

/// How a block of the integer class is read and written: value = (code - zero_point) · scale.
struct IntegerBlocks {
  int bits = 0;  ///< 4 or 8
  int zero_point = 0;
  /// A block → 32 unsigned codes and the scale as f16 bits.
  uint16_t (*read)(const std::byte* block, uint8_t* codes) = nullptr;
  void (*write)(uint16_t scale, const uint8_t* codes, std::byte* block) = nullptr;
};

/// A group as checkpoints of the Hub store it: codes of up to eight bits and what they share.
struct CodedGroup {
  const uint8_t* codes;  ///< one per element
  float scale = 1;
  uint8_t zero = 0;  ///< the code that means 0, in formats of integers
};

struct FormatOps {
  Format format;
  /// A row of numbers; quantised formats: a multiple of the block. Writes row_bytes(format, row.size()) bytes. Floats
  /// round to nearest even, integers truncate, keep to their range, and take NaN as 0. Null: the format is only read.
  void (*encode)(std::span<const float> row, std::byte* to);
  void (*decode)(const std::byte* row, std::span<float> to);
  /// Nothing for formats that weights of a product cannot have.
  std::optional<WeightClass> weight_class = std::nullopt;
  IntegerBlocks blocks = {};  ///< the integer class only
  /// A block from its parts, exactly: for the formats that quantised checkpoints become; null for the others.
  void (*assemble)(const CodedGroup& group, std::byte* block) = nullptr;
};

const FormatOps& format_ops(Format format);

/// Row `row` (over all dimensions but the last) of a tensor in any format and layout, as f32. `to` holds tensor.last()
/// numbers.
void decode_row(const Tensor& tensor, int64_t row, std::span<float> to);

// ---- Layout::interleave16 (core/type.h)

/// Tiles [begin, end) of 16 rows each of a row-major (N, K) tensor of the integer class, into a pack of the same type
/// made by `Tensor::make`. Different ranges may be packed at the same time.
void interleave16(const Tensor& w, int64_t begin, int64_t end, const Tensor& pack);
Tensor interleave16(const Tensor& w);
/// The row-major tensor again, byte for byte.
Tensor deinterleave16(const Tensor& pack);

namespace formats {
#define FORMAT(name) extern const FormatOps name;
#include "formats/list.inc"
#undef FORMAT
}  // namespace formats

}  // namespace braid
