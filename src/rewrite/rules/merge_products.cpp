// Several products of the same input become one with several weights: queries, keys and values; gate and up. One pass
// over the input, one quantisation of it, one meeting of the threads instead of two or three. The weights stay where
// they are.

#include "ops/ops.h"
#include "rewrite/rule.h"

namespace braid::rule {
namespace {

bool is_plain_product(const Graph& graph, const Node& node) {
  return node.op == &op::contract && node.attrs.integer_or("grouped", 0) == 0 && node.inputs.size() == 2 &&
         graph.type(node.inputs[1]).rank() == 2;
}

std::vector<uint32_t> match(const RuleContext& context, uint32_t root, const std::vector<bool>& taken) {
  const Graph& graph = context.graph;
  if (!is_plain_product(graph, graph.node(root))) return {};
  const ValueId x = graph.node(root).inputs[0];
  std::vector<uint32_t> nodes;
  for (uint32_t n = root; n < graph.nodes().size(); ++n) {
    const Node& node = graph.node(n);
    if (taken[n] || !is_plain_product(graph, node) || node.inputs[0] != x) continue;
    nodes.push_back(n);
    if (!is_convex(graph, nodes)) nodes.pop_back();
  }
  return nodes.size() > 1 ? nodes : std::vector<uint32_t>{};
}

void build(Rewriter& rewriter, const std::vector<uint32_t>& nodes) {
  rewriter.replace(nodes, [nodes](Rewriter& rw) {
    std::vector<Value> weights;
    for (uint32_t n : nodes) weights.push_back(rw.operand(rw.from().node(n).inputs[1]));
    const std::vector<Value> results = contract_all(rw.operand(rw.from().node(nodes.front()).inputs[0]), weights);
    for (size_t i = 0; i < nodes.size(); ++i) rw.set({nodes[i], 0}, results[i]);
  });
}

}  // namespace

extern const Rule merge_products;
const Rule merge_products{"merge_products", "products of one input share one pass over it", Stage::composite, match,
                          build};

}  // namespace braid::rule
