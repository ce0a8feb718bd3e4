#pragma once
// How a pass makes a new graph from an old one: nodes are copied in order, or replaced by what a rule builds.

#include <functional>
#include <vector>

#include "ir/builder.h"

namespace braid {

class Rewriter {
 public:
  explicit Rewriter(const Graph& from)
      : from_(from), made_(from.nodes().size()), group_of_(from.nodes().size(), kNone) {}

  const Graph& from() const { return from_; }
  Builder& builder() { return builder_; }

  /// These nodes are replaced together: `build` is called once, when the first of them is reached or one of their
  /// results is needed, and sets every result that is used outside. The caller has checked that the group is convex.
  void replace(std::vector<uint32_t> nodes, std::function<void(Rewriter&)> build);
  /// The new value of an old one; makes it first when it lies ahead.
  Value operand(ValueId old);
  void set(ValueId old, Value made);
  bool is_replaced(uint32_t node) const { return group_of_[node] != kNone; }
  /// Copies one node with mapped operands (a `build` function that keeps a node calls it).
  std::vector<Value> copy(uint32_t node);

  /// Copies the rest, the outputs and the state results; drops nodes that nothing uses; verifies.
  Graph finish();

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Group {
    std::vector<uint32_t> nodes;
    std::function<void(Rewriter&)> build;
    bool built = false;
  };
  void emit(uint32_t node);

  const Graph& from_;
  Builder builder_;
  std::vector<std::vector<Value>> made_;
  std::vector<uint32_t> group_of_;
  std::vector<Group> groups_;
  std::vector<bool> needed_;
};

/// Whether no path leads from a node of the group out of it and back in.
bool is_convex(const Graph& graph, const std::vector<uint32_t>& nodes);
/// Nodes from which an output or a state result is reached.
std::vector<bool> needed_nodes(const Graph& graph);
/// One node `fused` in the place of the group: operands from outside become inputs of its body (nodes that are
/// themselves `fused` are inlined), results used outside become its outputs.
void fuse(Rewriter& rewriter, std::vector<uint32_t> nodes);

}  // namespace braid
