#include "rewrite/rule.h"

#include "ops/ops.h"

namespace braid {

namespace rule {
#define RULE(name) extern const Rule name;
#include "rewrite/rules/list.inc"
#undef RULE
}  // namespace rule

std::span<const Rule* const> rules() {
  static constexpr const Rule* kRules[] = {
#define RULE(name) &rule::name,
#include "rewrite/rules/list.inc"
#undef RULE
  };
  return kRules;
}

Graph apply(const Rule& rule, const Graph& graph, int64_t max_tokens, int* count) {
  const RuleContext context{graph, graph.use_counts(), max_tokens};
  Rewriter rewriter(graph);
  std::vector<bool> taken(graph.nodes().size(), false);
  int matched = 0;
  for (uint32_t root = 0; root < graph.nodes().size(); ++root) {
    if (taken[root]) continue;
    const std::vector<uint32_t> nodes = rule.match(context, root, taken);
    if (nodes.empty() || !is_convex(graph, nodes)) continue;
    for (uint32_t n : nodes) taken[n] = true;
    rule.build(rewriter, nodes);
    ++matched;
  }
  if (count != nullptr) *count = matched;
  return matched == 0 ? graph : rewriter.finish();
}

bool is_tile_op(const Graph& graph, const Node& node) {
  if (node.op->kind != Kind::elementwise || node.types.front().format != Format::f32) return false;
  if (node.op == &op::cast || node.op == &op::select) return false;
  for (ValueId v : node.inputs)
    if (graph.type(v).format != Format::f32) return false;
  return true;
}

}  // namespace braid
