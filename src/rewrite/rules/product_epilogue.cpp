// What follows a product element by element (bias, activation, gate times up, residual) is done on the tile of the
// result that still lies in the cache, instead of in passes of its own over the whole result.

#include <algorithm>

#include "ops/ops.h"
#include "rewrite/rule.h"

namespace braid::rule {
namespace {

/// The result of a tile op must have the shape of the products' results; other operands may be of the same shape, a
/// vector along the last dimension, or a scalar.
bool fits_tile(const Graph& graph, const Node& node, const Shape& shape) {
  if (!is_tile_op(graph, node) || node.types.front().shape != shape) return false;
  for (ValueId v : node.inputs) {
    const Shape& s = graph.type(v).shape;
    const bool vector = s.size() == 1 && s.back() == shape.back();
    if (s != shape && !s.empty() && !vector) return false;
  }
  return true;
}

std::vector<uint32_t> match(const RuleContext& context, uint32_t root, const std::vector<bool>& taken) {
  const Graph& graph = context.graph;
  const Node& product = graph.node(root);
  if (product.op != &op::contract || graph.type(product.inputs[1]).rank() != 2) return {};
  if (product.attrs.integer_or("grouped", 0) == 0 && product.types.size() + 1 != product.inputs.size()) return {};
  std::vector<uint32_t> nodes = {root};
  auto inside = [&](uint32_t n) { return std::find(nodes.begin(), nodes.end(), n) != nodes.end(); };
  for (uint32_t n = root + 1; n < graph.nodes().size(); ++n) {
    if (taken[n]) continue;
    const Node& node = graph.node(n);
    uint32_t feeders = 0;
    const Shape* shape = nullptr;
    for (ValueId v : node.inputs) {
      if (!inside(v.node)) continue;
      ++feeders;
      if (shape == nullptr) shape = &graph.type(v).shape;
      if (graph.type(v).shape != *shape) shape = nullptr;
      if (shape == nullptr) break;
    }
    if (feeders == 0 || shape == nullptr || !fits_tile(graph, node, *shape)) continue;
    // A result of the group that is also needed elsewhere would have to be stored as well: then nothing is saved.
    bool single = true;
    for (ValueId v : node.inputs)
      if (inside(v.node)) single &= graph.node(v).types.size() > 1 || context.uses[v.node] == 1;
    if (!single) continue;
    nodes.push_back(n);
    if (!is_convex(graph, nodes)) nodes.pop_back();
  }
  // Of a product with several results, each may be used once at most by the epilogue and nowhere else.
  if (product.types.size() > 1) {
    std::vector<uint32_t> uses(product.types.size(), 0), inner(product.types.size(), 0);
    for (uint32_t n = 0; n < graph.nodes().size(); ++n)
      for (ValueId v : graph.node(n).inputs)
        if (v.node == root) {
          ++uses[v.result];
          if (inside(n)) ++inner[v.result];
        }
    for (const auto& output : graph.outputs())
      if (output.value.node == root) ++uses[output.value.result];
    for (size_t r = 0; r < uses.size(); ++r)
      if (inner[r] > 0 && (inner[r] != 1 || uses[r] != 1)) return {};
  }
  return nodes.size() > 1 ? nodes : std::vector<uint32_t>{};
}

}  // namespace

extern const Rule product_epilogue;
const Rule product_epilogue{"product_epilogue", "bias, activation, gating and residual are added to a product's tile",
                            Stage::core, match,
                            [](Rewriter& rewriter, const std::vector<uint32_t>& nodes) { fuse(rewriter, nodes); }};

}  // namespace braid::rule
