// A node that stands for its body. Attribute: body, a graph whose inputs are the operands in order.
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  const Graph& body = attrs.graph("body");
  check_count(operands, body.inputs().size());
  for (size_t i = 0; i < operands.size(); ++i) {
    const Type& wanted = body.type({body.inputs()[i], 0});
    if (operands[i] != wanted) fail_operand(i, operands[i], "should be " + to_string(wanted));
  }
  if (!body.states().empty() || !body.parameters().empty()) throw ShapeError("the body reads more than its operands");
  std::vector<Type> results;
  for (const auto& output : body.outputs()) results.push_back(body.type(output.value));
  return results;
}

/// All of the body's operations, but only the bytes of operands and results: what lies between stays in the cache.
Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  const Graph& body = node.attrs.graph("body");
  Cost total;
  for (const Node& inner : body.nodes()) total.flops += cost(body, inner, sizes).flops;
  for (const Type& type : operands) total.bytes += static_cast<double>(byte_size(type, sizes));
  for (const Type& type : node.types) total.bytes += static_cast<double>(byte_size(type, sizes));
  return total;
}

std::vector<Value> expand(Builder& b, const Node& node, std::span<const Value> operands) {
  return b.inline_graph(node.attrs.graph("body"), operands);
}

}  // namespace

const OpInfo op::fused{.name = "fused", .kind = Kind::region, .infer = infer, .expand = expand, .cost = cost};

std::vector<Value> fused(Builder& b, std::vector<Value> operands, std::shared_ptr<const Graph> body) {
  return b.add_all(op::fused, std::move(operands), {{"body", std::move(body)}});
}

}  // namespace braid
