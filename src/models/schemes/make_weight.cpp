// From a scheme's codes and scales to a tensor, rows in parallel.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "core/parallel.h"
#include "formats/formats.h"
#include "models/schemes/scheme.h"

namespace braid {
namespace {

constexpr int64_t kTileRows = 16;  // rows read together: what lies packed down the rows shares cache lines
constexpr size_t kMaxBlock = 256;

/// A tile of rows, with room for what a scheme reads.
struct Tile {
  std::vector<uint8_t> codes, zeros;
  std::vector<float> scales;
  CodedRows rows;

  Tile(const CodedWeight& w, int64_t begin, int64_t count)
      : codes(static_cast<size_t>(count * w.columns())),
        zeros(static_cast<size_t>(count * w.groups())),
        scales(static_cast<size_t>(count * w.groups())),
        rows{begin, count, codes, scales, zeros} {}

  void sort(const std::vector<int32_t>& order) {
    std::vector<uint8_t> row(order.size());
    for (size_t at = 0; at < codes.size(); at += row.size()) {
      for (size_t i = 0; i < row.size(); ++i) row[i] = codes[at + static_cast<size_t>(order[i])];
      std::ranges::copy(row, codes.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
};

/// Blocks lie within a group.
void put_row(const CodedWeight& w, const Tile& tile, int64_t r, const FormatOps& ops, std::byte* to) {
  const auto block = static_cast<int64_t>(info(ops.format).block_elements);
  for (int64_t c = 0; c < w.columns(); c += block, to += info(ops.format).block_bytes) {
    const auto g = static_cast<size_t>(r * w.groups() + c / w.group);
    ops.assemble({&tile.codes[static_cast<size_t>(r * w.columns() + c)], tile.scales[g], tile.zeros[g]}, to);
  }
}

/// Columns of a group by group, however they lie, through the format's own definition.
void put_floats(const CodedWeight& w, const std::vector<std::vector<int64_t>>& columns, const Tile& tile, int64_t r,
                float* to) {
  const FormatOps& ops = format_ops(w.formats.back());
  const size_t block = info(ops.format).block_elements;
  std::array<uint8_t, kMaxBlock> codes{};
  std::array<std::byte, 2 * kMaxBlock> bytes;
  std::array<float, kMaxBlock> numbers;
  for (size_t g = 0; g < columns.size(); ++g) {
    const size_t at = static_cast<size_t>(r * w.groups()) + g;
    for (size_t begin = 0; begin < columns[g].size(); begin += block) {
      const size_t count = std::min(block, columns[g].size() - begin);
      for (size_t i = 0; i < count; ++i)
        codes[i] = tile.codes[static_cast<size_t>(r * w.columns() + columns[g][begin + i])];
      ops.assemble({codes.data(), tile.scales[at], tile.zeros[at]}, bytes.data());
      ops.decode(bytes.data(), std::span(numbers).first(block));
      for (size_t i = 0; i < count; ++i) to[columns[g][begin + i]] = numbers[i];
    }
  }
}

}  // namespace

Tensor QuantizedCheckpoint::make(const CodedWeight& w, bool in_order) const {
  const Format format = w.format(in_order);
  const bool sorts = in_order && !w.order.empty();
  const FormatOps& ops = format_ops(format);
  std::vector<std::vector<int64_t>> columns(format == Format::f32 ? static_cast<size_t>(w.groups()) : 0);
  if (format == Format::f32)
    for (int64_t c = 0; c < w.columns(); ++c)
      columns[static_cast<size_t>(sorts || w.group_of.empty() ? c / w.group : w.group_of[static_cast<size_t>(c)])]
          .push_back(c);
  const Tensor made = Tensor::make(w.shape, format);
  const size_t row = row_bytes(format, static_cast<uint64_t>(w.columns()));
  parallel_for(static_cast<size_t>((w.rows() + kTileRows - 1) / kTileRows), [&](size_t piece) {
    const int64_t begin = static_cast<int64_t>(piece) * kTileRows;
    Tile tile(w, begin, std::min(kTileRows, w.rows() - begin));
    w.read(tile.rows);
    if (sorts) tile.sort(w.order);
    for (const float scale : tile.scales)
      if (!std::isfinite(scale)) {
        const TensorEntry* entry = checkpoint_->entry(w.scale_tensor);
        throw Error("a scale of rows " + std::to_string(begin) + " to " + std::to_string(begin + tile.rows.count - 1) +
                        " is not finite",
                    {.file = checkpoint_->file_of(w.scale_tensor),
                     .field = w.scale_tensor,
                     .offset = entry != nullptr ? std::optional(entry->offset) : std::nullopt},
                    "the file is damaged: download the model again");
      }
    for (int64_t r = 0; r < tile.rows.count; ++r) {
      std::byte* to = made.bytes() + static_cast<size_t>(begin + r) * row;
      if (format == Format::f32)
        put_floats(w, columns, tile, r, reinterpret_cast<float*>(to));
      else
        put_row(w, tile, r, ops, to);
    }
  });
  checkpoint_->check();
  return made;
}

}  // namespace braid
