// Elementwise operations that feed one another become one tile program: one pass over memory, one meeting of the
// threads.

#include <algorithm>

#include "ops/ops.h"
#include "rewrite/rule.h"

namespace braid::rule {
namespace {

std::vector<uint32_t> match(const RuleContext& context, uint32_t root, const std::vector<bool>& taken) {
  const Graph& graph = context.graph;
  if (!is_tile_op(graph, graph.node(root))) return {};
  std::vector<uint32_t> nodes = {root};
  // Follow the only use of the chain's end for as long as it is a tile op of the same shape.
  const Shape& shape = graph.node(root).types.front().shape;
  for (uint32_t end = root, n = root + 1; n < graph.nodes().size() && context.uses[end] == 1; ++n) {
    const Node& node = graph.node(n);
    const bool uses_end = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return v.node == end; });
    if (!uses_end) continue;
    if (taken[n] || !is_tile_op(graph, node) || node.types.front().shape != shape) break;
    nodes.push_back(n);
    end = n;
  }
  return nodes.size() > 1 ? nodes : std::vector<uint32_t>{};
}

}  // namespace

extern const Rule elementwise_chain;
const Rule elementwise_chain{"elementwise_chain", "elementwise operations that feed one another share one pass",
                             Stage::core, match,
                             [](Rewriter& rewriter, const std::vector<uint32_t>& nodes) { fuse(rewriter, nodes); }};

}  // namespace braid::rule
