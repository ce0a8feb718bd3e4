// A norm (and the quantisation after it) that only one product reads is computed by each thread for itself just before
// the product: with few rows, repeating it costs less than a meeting of the threads.

#include "ops/ops.h"
#include "rewrite/rule.h"

namespace braid::rule {
namespace {

constexpr int64_t kMaxTokens = 4;  // above, repeating the norm costs more than the meeting saves

bool is_product(const Graph& graph, const Node& node) {
  if (node.op == &op::contract)
    return node.attrs.integer_or("grouped", 0) == 0 && graph.type(node.inputs[1]).rank() == 2;
  if (node.op != &op::fused) return false;
  for (const Node& inner : node.attrs.graph("body").nodes())
    if (inner.op == &op::contract) return inner.attrs.integer_or("grouped", 0) == 0;
  return false;
}

/// The operand of a (fused) product that is multiplied.
ValueId product_input(const Node& node) {
  if (node.op == &op::contract) return node.inputs[0];
  const Graph& body = node.attrs.graph("body");
  for (const Node& inner : body.nodes()) {
    if (inner.op != &op::contract) continue;
    for (size_t i = 0; i < body.inputs().size(); ++i)
      if (body.inputs()[i] == inner.inputs[0].node) return node.inputs[i];
  }
  return {};
}

std::vector<uint32_t> match(const RuleContext& context, uint32_t root, const std::vector<bool>& taken) {
  const Graph& graph = context.graph;
  if (context.max_tokens > kMaxTokens || !is_product(graph, graph.node(root))) return {};
  std::vector<uint32_t> nodes = {root};
  ValueId x = product_input(graph.node(root));
  if (x == ValueId{}) return {};
  const Node* producer = &graph.node(x);
  if (producer->op == &op::quantize || producer->op == &op::cast) {
    if (context.uses[x.node] != 1 || taken[x.node]) return {};
    nodes.push_back(x.node);
    x = producer->inputs[0];
    producer = &graph.node(x);
  }
  if (producer->op != &op::rms_norm && producer->op != &op::layer_norm) return {};
  if (context.uses[x.node] != 1 || taken[x.node]) return {};
  nodes.push_back(x.node);
  return nodes;
}

}  // namespace

extern const Rule norm_prologue;
const Rule norm_prologue{"norm_prologue", "with few rows, each thread computes the norm before a product for itself",
                         Stage::core, match,
                         [](Rewriter& rewriter, const std::vector<uint32_t>& nodes) { fuse(rewriter, nodes); }};

}  // namespace braid::rule
