#include "backend/cpu/load.h"

#include <cstring>
#include <vector>

#include "backend/oracle/interpret.h"
#include "core/error.h"
#include "core/parallel.h"
#include "formats/formats.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

/// The nodes between the one parameter and the output when all of them are conversions; empty otherwise.
std::vector<const Node*> conversions(const Graph& load) {
  std::vector<const Node*> chain;
  const Node* node = &load.node(load.outputs().front().value);
  while (node->op == &op::cast || node->op == &op::quantize || node->op == &op::pack) {
    chain.insert(chain.begin(), node);
    node = &load.node(node->inputs[0]);
  }
  return node->op == &op::parameter ? chain : std::vector<const Node*>{};
}

/// Tiles of 16 rows: read, convert, store; nothing of the size of the whole weight lies between.
Tensor convert(const Graph& load, const std::vector<const Node*>& chain, ParameterSource& source) {
  const Node* leaf = &load.node(chain.front()->inputs[0]);
  const Tensor from = source.get(leaf->attrs.text("name"));
  const Type& type = load.type(load.outputs().front().value);
  const Tensor to = Tensor::make(sizes_at(type.shape, {}), type.format, type.layout);
  Format row_format = type.format;  // what the rows are before they are packed
  const bool packed = type.layout != Layout::row_major;
  const int64_t rows = from.rows(), n = from.last();
  constexpr int64_t kTile = 16;
  const size_t bytes = row_bytes(row_format, static_cast<uint64_t>(n));
  const int64_t tiles = (rows + kTile - 1) / kTile;
  constexpr int64_t kBatch = 16;  // tiles per piece of work
  parallel_for(static_cast<size_t>((tiles + kBatch - 1) / kBatch), [&](size_t piece) {
    std::vector<float> row(static_cast<size_t>(n));
    const int64_t tile_begin = static_cast<int64_t>(piece) * kBatch, tile_end = std::min(tiles, tile_begin + kBatch);
    Tensor held;  // rows of this piece, when they are packed afterwards
    const int64_t begin = tile_begin * kTile, end = std::min(rows, tile_end * kTile);
    if (packed) held = Tensor::make({end - begin, n}, row_format);
    for (int64_t r = begin; r < end; ++r) {
      decode_row(from, r, row);
      // Every conversion of the chain rounds, as the graph says.
      for (const Node* step : chain) {
        const Format f = step->types.front().format;
        if (step->op == &op::pack || f == Format::f32 || f == type.format) continue;
        std::vector<std::byte> rounded(row_bytes(f, static_cast<uint64_t>(n)));
        format_ops(f).encode(row, rounded.data());
        format_ops(f).decode(rounded.data(), row);
      }
      std::byte* at =
          packed ? held.bytes() + static_cast<size_t>(r - begin) * bytes : to.bytes() + static_cast<size_t>(r) * bytes;
      if (from.format == row_format && from.layout == Layout::row_major)
        std::memcpy(at, from.bytes() + static_cast<size_t>(r) * bytes, bytes);  // only packed, not converted
      else
        format_ops(row_format).encode(row, at);
    }
    if (!packed) return;
    Tensor part = to;  // the pack of these rows alone: tiles of 16 rows follow one another
    part.shape[0] = end - begin;
    part.offset += static_cast<size_t>(tile_begin) * (static_cast<size_t>(kTile) * bytes);
    interleave16(held, 0, tile_end - tile_begin, part);
  });
  source.check();
  return to;
}

}  // namespace

Tensor run_load_graph(const Graph& load, ParameterSource& source) {
  if (const auto chain = conversions(load); !chain.empty()) return convert(load, chain, source);
  oracle::Feeds feeds;
  feeds.parameters = oracle::parameters_by_name([&](std::string_view name) { return source.get(name); });
  Tensor result = oracle::interpret(load, feeds).front().tensor;
  source.check();
  return result;
}

}  // namespace braid::cpu
