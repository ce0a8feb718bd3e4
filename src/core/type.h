#pragma once
// Dim, Type: shapes whose dimensions are numbers or affine in one named symbol of a step.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/format.h"

namespace braid {

/// What may differ from step to step (tokens … source) or from one binding to the next (pages, slots: pool sizes).
enum class Symbol : uint8_t { none, tokens, sequences, rows, source, pages, window_pages, slots, source_slots };
inline constexpr int kSymbols = 9;
std::string_view name(Symbol symbol);

/// A value per symbol: the sizes of a step, or their upper bounds.
struct SymbolValues {
  std::array<int64_t, kSymbols> value{};
  int64_t& operator[](Symbol s) { return value[static_cast<size_t>(s)]; }
  int64_t operator[](Symbol s) const { return value[static_cast<size_t>(s)]; }
  bool operator==(const SymbolValues&) const = default;
};

/// constant + scale * symbol. A plain number has no symbol and scale 0.
struct Dim {
  int64_t constant = 0;
  int64_t scale = 0;
  Symbol symbol = Symbol::none;

  constexpr Dim() = default;
  constexpr Dim(int64_t number) : constant(number) {}  // NOLINT: a number is a Dim
  constexpr Dim(int number) : constant(number) {}      // NOLINT
  constexpr Dim(Symbol s, int64_t scale = 1, int64_t constant = 0) : constant(constant), scale(scale), symbol(s) {}

  bool is_number() const { return scale == 0; }
  /// The number; throws ShapeError when the dimension is symbolic.
  int64_t number() const;
  int64_t at(const SymbolValues& values) const { return scale == 0 ? constant : constant + scale * values[symbol]; }
  bool operator==(const Dim&) const = default;
  Dim operator*(int64_t n) const;
  /// Exact quotient; throws ShapeError when n does not divide it.
  Dim operator/(int64_t n) const;
  Dim operator+(int64_t n) const;
};
std::string to_string(const Dim& dim);

using Shape = std::vector<Dim>;

/// How a tensor's elements lie in memory. Anything but `row_major` is a pack made by a backend's layout pass.
enum class Layout : uint8_t {
  row_major,
  /// Weights (N, K) of an integer class: tiles of 16 rows × 32 columns, tile (n/16, k/32) in row-major order of tiles;
  /// N is padded to 16 with zeros. A tile holds 16 f16 scales (32 bytes), then codes as unsigned numbers around a zero
  /// point (q8_0: code + 128; q4_0: code + 8), grouped by 4 columns: q8_0: 8 groups g of 64 bytes, byte 4*lane + j is
  /// column 4*g + j of row `lane`. q4_0: 4 groups of 64 bytes; the low nibble is group g, the high nibble is group g
  /// + 4.
  interleave16,
};
std::string_view name(Layout layout);

/// A shape and a format (and the layout of a pack).
struct Type {
  Shape shape;
  Format format = Format::f32;
  Layout layout = Layout::row_major;

  size_t rank() const { return shape.size(); }
  const Dim& operator[](size_t i) const { return shape[i]; }
  /// The last dimension; 1 for a scalar.
  Dim last() const { return shape.empty() ? Dim(1) : shape.back(); }
  bool operator==(const Type&) const = default;
};
std::string to_string(const Type& type);  ///< "bf16[tokens, 2048]"

/// Bytes of a tensor of this type at these sizes. Throws Error on overflow or when a row is not a whole number of
/// blocks.
uint64_t byte_size(const Type& type, const SymbolValues& values);
/// Elements at these sizes.
int64_t element_count(const Shape& shape, const SymbolValues& values);
std::vector<int64_t> sizes_at(const Shape& shape, const SymbolValues& values);

}  // namespace braid
