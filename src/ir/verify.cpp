#include <unordered_map>

#include "core/error.h"
#include "ir/graph.h"
#include "ir/op.h"

namespace braid {
namespace {

[[noreturn]] void fail(const Graph& graph, uint32_t index, const std::string& what) {
  const Node& node = graph.node(index);
  std::string field = "%" + std::to_string(index) + " = " + std::string(node.op->name);
  if (!node.origin.scopes.empty()) field += " in " + node.origin.scopes.front();
  throw ShapeError(what, {.file = {}, .field = field, .offset = {}});
}

void check_types(const Graph& graph, uint32_t index) {
  const Node& node = graph.node(index);
  if (node.op->infer == nullptr) return;
  std::vector<Type> expected;
  try {
    expected = node.op->infer(graph.operand_types(node), node.attrs);
  } catch (const ShapeError& error) {
    fail(graph, index, error.message());
  }
  if (expected != node.types) fail(graph, index, "result types are not what the op gives");
}

/// State versions are linear: each is updated at most once, and nothing reads it afterwards.
class Versions {
 public:
  explicit Versions(const Graph& graph) : graph_(graph) {}

  void visit(uint32_t index) {
    const Node& node = graph_.node(index);
    for (ValueId v : node.inputs)
      if (auto it = updated_by_.find(key(v)); it != updated_by_.end())
        fail(graph_, index, "uses a state version that %" + std::to_string(it->second) + " has updated");
    if (node.op == &op::state) versions_[key({index, 0})] = index;
    for (auto [operand, result] : updates(node)) {
      const ValueId before = node.inputs.at(operand);
      auto it = versions_.find(key(before));
      if (it == versions_.end()) fail(graph_, index, "operand " + std::to_string(operand) + " is not a state");
      if (graph_.type(before) != node.types.at(result)) fail(graph_, index, "a state's new version is of another type");
      updated_by_[key(before)] = index;
      versions_[key({index, result})] = it->second;
    }
  }

  void finish() const {
    for (const auto& r : graph_.state_results()) {
      auto it = versions_.find(key(r.value));
      if (it == versions_.end() || it->second != r.state) fail(graph_, r.state, "its result is not a version of it");
    }
    for (const auto& [version, state] : versions_) {
      if (updated_by_.count(version) != 0) continue;
      bool recorded = version == key({state, 0});  // an unchanged state needs no result
      for (const auto& r : graph_.state_results()) recorded |= r.state == state && key(r.value) == version;
      if (!recorded)
        fail(graph_, static_cast<uint32_t>(version >> 32),
             "the last version of state \"" + graph_.node(state).attrs.text("name") + "\" is lost");
    }
  }

 private:
  static uint64_t key(ValueId v) { return (static_cast<uint64_t>(v.node) << 32) | v.result; }
  const Graph& graph_;
  std::unordered_map<uint64_t, uint32_t> versions_;    // value → its state node
  std::unordered_map<uint64_t, uint32_t> updated_by_;  // value → the node that updated it
};

}  // namespace

void verify(const Graph& graph) {
  Versions versions(graph);
  for (uint32_t index = 0; index < graph.nodes().size(); ++index) {
    const Node& node = graph.node(index);
    for (ValueId v : node.inputs) {
      if (v.node >= index) fail(graph, index, "uses a value that comes later");
      if (v.result >= graph.node(v).types.size()) fail(graph, index, "uses a result that does not exist");
    }
    if (node.types.empty()) fail(graph, index, "has no results");
    check_types(graph, index);
    for (const auto& [name, value] : node.attrs.entries()) {
      const auto* region = std::get_if<std::shared_ptr<const Graph>>(&value);
      if (region == nullptr) continue;
      if (*region == nullptr) fail(graph, index, "region \"" + name + "\" is empty");
      verify(**region);
    }
    versions.visit(index);
  }
  auto exists = [&](ValueId v) { return v.node < graph.nodes().size() && v.result < graph.node(v).types.size(); };
  for (const auto& o : graph.outputs())
    if (!exists(o.value)) throw ShapeError("output \"" + o.name + "\" does not exist");
  for (const auto& s : graph.state_results())
    if (!exists(s.value)) throw ShapeError("a state's result does not exist");
  versions.finish();
}

}  // namespace braid
