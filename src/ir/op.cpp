#include "ir/op.h"

namespace braid {
namespace op {

const OpInfo input{.name = "input", .kind = Kind::leaf};
const OpInfo parameter{.name = "parameter", .kind = Kind::leaf};
const OpInfo constant{.name = "constant", .kind = Kind::leaf};
const OpInfo state{.name = "state", .kind = Kind::leaf};

}  // namespace op

std::string_view name(Kind kind) {
  constexpr std::string_view kNames[] = {"leaf", "elementwise", "reduce", "contract", "move", "region", "composite"};
  return kNames[static_cast<size_t>(kind)];
}

Cost cost(const Graph& graph, const Node& node, const SymbolValues& sizes) {
  const std::vector<Type> operands = graph.operand_types(node);
  if (node.op->cost != nullptr) return node.op->cost(node, operands, sizes);
  Cost total;
  for (const Type& type : node.types) {
    if (node.op->kind != Kind::leaf && node.op->kind != Kind::move)
      total.flops += static_cast<double>(element_count(type.shape, sizes));
    total.bytes += static_cast<double>(byte_size(type, sizes));
  }
  for (const Type& type : operands) total.bytes += static_cast<double>(byte_size(type, sizes));
  return total;
}

Updates updates(const Node& node) { return node.op->updates != nullptr ? node.op->updates(node) : Updates{}; }

}  // namespace braid
