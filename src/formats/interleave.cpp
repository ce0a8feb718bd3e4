// Layout::interleave16, for every format of the integer class.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.h"
#include "formats/formats.h"
#include "formats/half.h"

namespace braid {
namespace {

constexpr int64_t kRows = 16, kColumns = 32, kScaleBytes = kRows * 2;

struct Tiles {
  const FormatOps& ops;
  int64_t rows, columns;          // tiles along N and K
  size_t block_bytes, row_bytes;  // of the row-major form
  size_t bytes;                   // of a tile

  explicit Tiles(const Tensor& w)
      : ops(format_ops(w.format)),
        rows(((w.shape.size() == 2 ? w.shape[0] : 0) + kRows - 1) / kRows),
        columns(w.last() / kColumns),
        block_bytes(info(w.format).block_bytes),
        row_bytes(static_cast<size_t>(columns) * block_bytes),
        bytes(static_cast<size_t>(kScaleBytes + kRows * kColumns * ops.blocks.bits / 8)) {
    if (ops.blocks.read == nullptr || w.shape.size() != 2)
      throw ShapeError(to_string(w.type()) + " cannot be interleaved");
  }
};

/// Where a tile keeps the code of (lane, column): its byte, and whether in the high nibble.
struct Where {
  int64_t byte;
  bool high;
};
Where where(int bits, int64_t lane, int64_t column) {
  const int64_t group = column / 4, within = 4 * lane + column % 4;
  if (bits == 8) return {kScaleBytes + group * 64 + within, false};
  return {kScaleBytes + group % 4 * 64 + within, group >= 4};
}

void read_lane(const IntegerBlocks& blocks, const std::byte* tile, int64_t lane, uint16_t& scale, uint8_t* codes) {
  std::memcpy(&scale, tile + lane * 2, sizeof scale);
  for (int64_t c = 0; c < kColumns; ++c) {
    const Where at = where(blocks.bits, lane, c);
    const auto byte = static_cast<uint8_t>(tile[at.byte]);
    codes[c] = blocks.bits == 8 ? byte : at.high ? byte >> 4 : byte & 15u;
  }
}

void write_lane(const IntegerBlocks& blocks, std::byte* tile, int64_t lane, uint16_t scale, const uint8_t* codes) {
  std::memcpy(tile + lane * 2, &scale, sizeof scale);
  for (int64_t c = 0; c < kColumns; ++c) {
    const Where at = where(blocks.bits, lane, c);
    tile[at.byte] |= static_cast<std::byte>(at.high ? codes[c] << 4 : codes[c]);
  }
}

}  // namespace

void interleave16(const Tensor& w, int64_t begin, int64_t end, const Tensor& pack) {
  const Tiles tiles(w);
  const int64_t n = w.shape[0];
  for (int64_t t = begin; t < end; ++t) {
    std::byte* tile = pack.bytes() + static_cast<size_t>(t * tiles.columns) * tiles.bytes;
    for (int64_t column = 0; column < tiles.columns; ++column, tile += tiles.bytes) {
      std::memset(tile, 0, tiles.bytes);
      for (int64_t lane = 0; lane < kRows && t * kRows + lane < n; ++lane) {
        std::array<uint8_t, kColumns> codes;
        const std::byte* block = w.bytes() + static_cast<size_t>(t * kRows + lane) * tiles.row_bytes +
                                 static_cast<size_t>(column) * tiles.block_bytes;
        const uint16_t scale = tiles.ops.blocks.read(block, codes.data());
        write_lane(tiles.ops.blocks, tile, lane, scale, codes.data());
      }
    }
  }
}

Tensor interleave16(const Tensor& w) {
  const Tiles tiles(w);
  Tensor pack = Tensor::make(w.shape, w.format, Layout::interleave16);
  interleave16(w, 0, tiles.rows, pack);
  return pack;
}

Tensor deinterleave16(const Tensor& pack) {
  const Tiles tiles(pack);
  Tensor w = Tensor::make(pack.shape, pack.format);
  for (int64_t row = 0; row < pack.shape[0]; ++row) {
    for (int64_t column = 0; column < tiles.columns; ++column) {
      const std::byte* tile = pack.bytes() + static_cast<size_t>(row / kRows * tiles.columns + column) * tiles.bytes;
      std::array<uint8_t, kColumns> codes;
      uint16_t scale;
      read_lane(tiles.ops.blocks, tile, row % kRows, scale, codes.data());
      tiles.ops.blocks.write(
          scale, codes.data(),
          w.bytes() + static_cast<size_t>(row) * tiles.row_bytes + static_cast<size_t>(column) * tiles.block_bytes);
    }
  }
  return w;
}

void decode_row(const Tensor& tensor, int64_t row, std::span<float> to) {
  const FormatOps& ops = format_ops(tensor.format);
  if (tensor.layout == Layout::row_major) {
    const size_t bytes = row_bytes(tensor.format, static_cast<uint64_t>(tensor.last()));
    ops.decode(tensor.bytes() + static_cast<size_t>(row) * bytes, to);
    return;
  }
  const Tiles tiles(tensor);
  for (int64_t column = 0; column < tiles.columns; ++column) {
    const std::byte* tile = tensor.bytes() + static_cast<size_t>(row / kRows * tiles.columns + column) * tiles.bytes;
    std::array<uint8_t, kColumns> codes;
    uint16_t scale;
    read_lane(ops.blocks, tile, row % kRows, scale, codes.data());
    for (int64_t c = 0; c < kColumns; ++c)
      to[static_cast<size_t>(column * kColumns + c)] =
          static_cast<float>(codes[static_cast<size_t>(c)] - ops.blocks.zero_point) * half_to_float(scale);
  }
}

}  // namespace braid
