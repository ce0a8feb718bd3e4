#include "core/error.h"
#include "ops/ops.h"
#include "rewrite/passes.h"
#include "rewrite/rule.h"

namespace braid {

int level_from_name(std::string_view name) {
  constexpr std::string_view kNames[] = {"none", "conservative", "balanced", "aggressive"};
  for (int level = 0; level < 4; ++level)
    if (name == kNames[level] || (name.size() == 1 && name[0] == static_cast<char>('0' + level))) return level;
  throw UsageError("unknown optimisation level \"" + std::string(name) + "\"", {},
                   "use 0 … 3 or none, conservative, balanced, aggressive");
}

Graph expand_unclaimed(const Graph& graph, const std::function<bool(const Graph&, const Node&)>& claimed) {
  Graph current = graph;
  for (bool changed = true; changed;) {
    changed = false;
    Rewriter rewriter(current);
    for (uint32_t n = 0; n < current.nodes().size(); ++n) {
      const Node& node = current.node(n);
      if (node.op->expand == nullptr || claimed(current, node)) continue;
      changed = true;
      rewriter.replace({n}, [n](Rewriter& rw) {
        const Node& node = rw.from().node(n);
        std::vector<Value> operands;
        for (ValueId v : node.inputs) operands.push_back(rw.operand(v));
        const std::vector<Value> results = node.op->expand(rw.builder(), node, operands);
        for (uint32_t r = 0; r < results.size(); ++r) rw.set({n, r}, results[r]);
      });
    }
    if (changed) current = rewriter.finish();
  }
  return current;
}

Graph run_passes(const Graph& graph, const PipelineOptions& options) {
  const RewriteOptions& rewrite = options.rewrite;
  for (const std::string& name : rewrite.disabled_rules) {
    bool known = false;
    for (const Rule* rule : rules()) known |= rule->name == name;
    if (known) continue;
    std::string list;
    for (const Rule* rule : rules()) list += (list.empty() ? "" : ", ") + std::string(rule->name);
    throw UsageError("unknown rule \"" + name + "\"", {.file = {}, .field = "--no-rule", .offset = {}},
                     "rules: " + list);
  }
  auto stage = [&](Graph g, Stage which) {
    if (rewrite.level == 0) return g;
    for (const Rule* rule : rules())
      if (rule->stage == which && rewrite.disabled_rules.count(std::string(rule->name)) == 0)
        g = apply(*rule, g, options.max_tokens);
    return g;
  };
  Graph g = stage(graph, Stage::composite);
  g = set_precision(g, rewrite, options.device);
  g = split_load_graph(g);
  g = expand_unclaimed(g, options.claimed);
  g = split_load_graph(g);  // expansions may have brought parameter-only values of their own
  g = stage(std::move(g), Stage::core);
  return expand_unclaimed(g, options.claimed);
}

}  // namespace braid
