#pragma once
// Where the values of a graph lie: the memory plan that CPU and GPU share. Exact to the byte before anything runs.

#include <functional>
#include <vector>

#include "ir/graph.h"

namespace braid {

inline constexpr uint64_t kArenaAlignment = 64;

/// The memory of one value.
struct Residence {
  enum class Where : uint8_t { arena, parameter, constant, state, unused } where = Where::unused;
  uint64_t offset = 0;  ///< arena: bytes from its beginning
  uint32_t leaf = 0;    ///< parameter, constant, state: the node it is a view of
};

struct ArenaPlan {
  std::vector<std::vector<Residence>> places;  ///< per node, per result
  uint64_t bytes = 0;
  Residence at(ValueId v) const { return places[v.node][v.result]; }
};

/// Plans for tensors at `bounds`. Nodes run in order. Values that are the same bytes (a reshape, a state's new version,
/// a cast to the same format) share a place; step inputs and outputs live through the whole step; others as long as
/// they are used.
ArenaPlan plan_arena(const Graph& graph, const SymbolValues& bounds);

/// The operand whose bytes a result is; nothing when it has bytes of its own.
bool is_view(const Graph& graph, ValueId value, ValueId* of);

}  // namespace braid
