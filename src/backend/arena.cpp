#include "backend/arena.h"

#include <algorithm>

#include "ir/op.h"
#include "ops/ops.h"

namespace braid {
namespace {

uint64_t align(uint64_t bytes) { return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

struct Life {
  ValueId value;
  uint32_t first, last;  // nodes
  uint64_t bytes;
  uint64_t offset = 0;
};

}  // namespace

bool is_view(const Graph& graph, ValueId value, ValueId* of) {
  const Node& node = graph.node(value);
  if (node.op == &op::reshape || (node.op == &op::cast && graph.type(node.inputs[0]).format == node.types[0].format)) {
    *of = node.inputs[0];
    return true;
  }
  for (auto [operand, result] : updates(node)) {
    if (result != value.result) continue;
    *of = node.inputs[operand];
    return true;
  }
  return false;
}

ArenaPlan plan_arena(const Graph& graph, const SymbolValues& bounds) {
  const auto& nodes = graph.nodes();
  ArenaPlan plan;
  plan.places.resize(nodes.size());
  std::vector<std::vector<ValueId>> root(nodes.size());
  std::vector<std::vector<size_t>> life_of(nodes.size());
  std::vector<Life> lives;
  const auto end = static_cast<uint32_t>(nodes.size());
  for (uint32_t n = 0; n < nodes.size(); ++n) {
    const Node& node = nodes[n];
    plan.places[n].resize(node.types.size());
    root[n].resize(node.types.size());
    life_of[n].assign(node.types.size(), SIZE_MAX);
    for (uint32_t r = 0; r < node.types.size(); ++r) {
      ValueId of;
      root[n][r] = {n, r};
      if (is_view(graph, {n, r}, &of)) {
        root[n][r] = root[of.node][of.result];
        continue;
      }
      Residence& place = plan.places[n][r];
      place.leaf = n;
      if (node.op == &op::parameter) place.where = Residence::Where::parameter;
      if (node.op == &op::constant) place.where = Residence::Where::constant;
      if (node.op == &op::state) place.where = Residence::Where::state;
      if (place.where != Residence::Where::unused) continue;
      place.where = Residence::Where::arena;
      life_of[n][r] = lives.size();
      lives.push_back({{n, r},
                       node.op == &op::input ? 0 : n,
                       node.op == &op::input ? end : n,
                       align(byte_size(node.types[r], bounds))});
    }
    for (ValueId v : node.inputs) {
      const ValueId base = root[v.node][v.result];
      if (size_t life = life_of[base.node][base.result]; life != SIZE_MAX)
        lives[life].last = std::max(lives[life].last, n);
    }
  }
  for (const auto& output : graph.outputs()) {
    const ValueId base = root[output.value.node][output.value.result];
    if (size_t life = life_of[base.node][base.result]; life != SIZE_MAX) lives[life].last = end;
  }

  // Largest first, each at the lowest offset that is free during its life.
  std::vector<size_t> order(lives.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return lives[a].bytes > lives[b].bytes; });
  std::vector<size_t> placed;  // sorted by offset
  for (size_t i : order) {
    Life& life = lives[i];
    uint64_t offset = 0;
    for (size_t j : placed) {
      const Life& other = lives[j];
      if (other.last < life.first || life.last < other.first) continue;
      if (other.offset >= offset + life.bytes) break;
      offset = std::max(offset, other.offset + other.bytes);
    }
    life.offset = offset;
    placed.insert(std::upper_bound(placed.begin(), placed.end(), i,
                                   [&](size_t a, size_t b) { return lives[a].offset < lives[b].offset; }),
                  i);
    plan.places[life.value.node][life.value.result].offset = offset;
    plan.bytes = std::max(plan.bytes, offset + life.bytes);
  }
  for (uint32_t n = 0; n < nodes.size(); ++n)
    for (uint32_t r = 0; r < nodes[n].types.size(); ++r) plan.places[n][r] = plan.at(root[n][r]);
  return plan;
}

}  // namespace braid
