#pragma once
// One row says everything about an op. The rows are listed once, in ops/list.inc; every other list is derived from the
// table.

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace braid {

enum class Kind : uint8_t { leaf, elementwise, reduce, contract, move, region, composite };
std::string_view name(Kind kind);

struct Cost {
  double flops = 0;  ///< floating-point or integer operations, 2 per multiply-add
  double bytes = 0;  ///< bytes of operands and results
};

/// Operand index → result index of the new version of a state: the op consumes the operand.
using Updates = std::vector<std::pair<uint32_t, uint32_t>>;

struct OpInfo {
  std::string_view name;
  Kind kind;
  /// Result types. Throws ShapeError naming operand and dimension. Null for leaves: their types are given.
  std::vector<Type> (*infer)(std::span<const Type> operands, const Attrs& attrs) = nullptr;
  /// Composites (and `fused`): the same thing in simpler ops; null for core ops.
  std::vector<Value> (*expand)(Builder& builder, const Node& node, std::span<const Value> operands) = nullptr;
  /// Null: one operation per element of the results.
  Cost (*cost)(const Node& node, std::span<const Type> operands, const SymbolValues& sizes) = nullptr;
  /// Null: the op updates no state.
  Updates (*updates)(const Node& node) = nullptr;
};

/// Operations and bytes of a node at these sizes.
Cost cost(const Graph& graph, const Node& node, const SymbolValues& sizes);
/// The states that a node updates.
Updates updates(const Node& node);

/// Leaves: they belong to the graph itself.
namespace op {
extern const OpInfo input;      ///< attrs: name. A tensor of the step
extern const OpInfo parameter;  ///< attrs: name (in the checkpoint), or name + load (a graph over parameters: a pack)
extern const OpInfo constant;   ///< attrs: value
extern const OpInfo state;      ///< attrs: name, lifetime
}  // namespace op

}  // namespace braid
