#include "rewrite/rewriter.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "ops/ops.h"

namespace braid {

std::vector<bool> needed_nodes(const Graph& graph) {
  std::vector<bool> needed(graph.nodes().size(), false);
  for (const auto& output : graph.outputs()) needed[output.value.node] = true;
  for (const auto& result : graph.state_results()) needed[result.value.node] = true;
  for (size_t n = graph.nodes().size(); n-- > 0;) {
    if (!needed[n]) continue;
    for (ValueId v : graph.node(static_cast<uint32_t>(n)).inputs) needed[v.node] = true;
  }
  for (uint32_t n : graph.inputs()) needed[n] = true;  // a step's inputs keep their places
  for (uint32_t n : graph.states()) needed[n] = true;
  return needed;
}

bool is_convex(const Graph& graph, const std::vector<uint32_t>& nodes) {
  const auto [first, last] = std::minmax_element(nodes.begin(), nodes.end());
  const uint32_t begin = *first;
  auto inside = [&](uint32_t n) { return std::find(nodes.begin(), nodes.end(), n) != nodes.end(); };
  std::vector<bool> after(*last - begin + 1, false);  // outside the group, but fed by it
  for (uint32_t n = begin; n <= *last; ++n) {
    const bool member = inside(n);
    for (ValueId v : graph.node(n).inputs) {
      if (v.node < begin) continue;
      if (after[v.node - begin]) {
        if (member) return false;
        after[n - begin] = true;
      } else if (!member && inside(v.node)) {
        after[n - begin] = true;
      }
    }
  }
  return true;
}

void Rewriter::replace(std::vector<uint32_t> nodes, std::function<void(Rewriter&)> build) {
  for (uint32_t n : nodes) group_of_[n] = static_cast<uint32_t>(groups_.size());
  groups_.push_back({std::move(nodes), std::move(build)});
}

void Rewriter::set(ValueId old, Value made) {
  auto& results = made_[old.node];
  if (results.size() <= old.result) results.resize(old.result + 1);
  results[old.result] = made;
}

void Rewriter::emit(uint32_t node) {
  if (group_of_[node] != kNone) {
    Group& group = groups_[group_of_[node]];
    if (group.built) return;
    group.built = true;
    Origin origin;
    for (uint32_t n : group.nodes) origin.merge(from_.node(n).origin);
    // Operands first, with origins of their own.
    for (uint32_t n : group.nodes)
      for (ValueId v : from_.node(n).inputs)
        if (group_of_[v.node] != group_of_[node]) operand(v);
    builder_.set_origin(std::move(origin));
    group.build(*this);
    builder_.clear_origin();
    return;
  }
  if (!made_[node].empty()) return;
  made_[node] = copy(node);
}

std::vector<Value> Rewriter::copy(uint32_t node) {
  const Node& old = from_.node(node);
  std::vector<Value> operands;
  operands.reserve(old.inputs.size());
  for (ValueId v : old.inputs) operands.push_back(operand(v));
  return builder_.copy(old, std::move(operands));
}

Value Rewriter::operand(ValueId old) {
  if (made_[old.node].size() <= old.result || !made_[old.node][old.result]) emit(old.node);
  if (made_[old.node].size() <= old.result || !made_[old.node][old.result])
    throw ShapeError("a rewrite lost a value that is still used",
                     {.file = {}, .field = std::string(from_.node(old).op->name), .offset = {}});
  return made_[old.node][old.result];
}

Graph Rewriter::finish() {
  const std::vector<bool> needed = needed_nodes(from_);
  for (uint32_t n = 0; n < from_.nodes().size(); ++n)
    if (needed[n]) emit(n);
  for (const auto& output : from_.outputs()) builder_.output(output.name, operand(output.value));
  for (const auto& result : from_.state_results())
    builder_.state_result(operand({result.state, 0}), operand(result.value));
  return builder_.finish();
}

void fuse(Rewriter& rewriter, std::vector<uint32_t> nodes) {
  std::sort(nodes.begin(), nodes.end());
  rewriter.replace(nodes, [nodes](Rewriter& rw) {
    const Graph& from = rw.from();
    auto inside = [&](uint32_t n) { return std::binary_search(nodes.begin(), nodes.end(), n); };
    std::vector<bool> used_outside(from.nodes().size(), false);
    std::map<ValueId, bool> escapes;
    for (uint32_t n = 0; n < from.nodes().size(); ++n) {
      if (inside(n)) continue;
      for (ValueId v : from.node(n).inputs)
        if (inside(v.node)) escapes[v] = true;
    }
    for (const auto& output : from.outputs())
      if (inside(output.value.node)) escapes[output.value] = true;

    Builder body;
    std::map<ValueId, Value> made;  // old value → value of the body
    std::vector<Value> operands;    // of the fused node, in the order of the body's inputs
    for (uint32_t n : nodes) {
      const Node& node = from.node(n);
      std::vector<Value> arguments;
      for (ValueId v : node.inputs) {
        auto it = made.find(v);
        if (it == made.end()) {
          Value outer = rw.operand(v);
          it = made.emplace(v, body.input("in" + std::to_string(operands.size()), outer.type())).first;
          operands.push_back(outer);
        }
        arguments.push_back(it->second);
      }
      std::vector<Value> results = node.op == &op::fused ? body.inline_graph(node.attrs.graph("body"), arguments)
                                                         : body.copy(node, std::move(arguments));
      for (uint32_t r = 0; r < results.size(); ++r) made[{n, r}] = results[r];
    }
    std::vector<ValueId> results;
    for (const auto& [value, escaped] : escapes) {
      if (!escaped) continue;
      body.output("out" + std::to_string(results.size()), made.at(value));
      results.push_back(value);
    }
    auto region = std::make_shared<const Graph>(body.finish());
    std::vector<Value> built = fused(rw.builder(), std::move(operands), region);
    for (size_t i = 0; i < results.size(); ++i) rw.set(results[i], built[i]);
  });
}

}  // namespace braid
