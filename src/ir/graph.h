#pragma once
// The graph: SSA, append-only. A pass reads one graph and builds another. Node order is execution order.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "core/type.h"

namespace braid {

struct OpInfo;
class Graph;
class Builder;

/// Which result of which node.
struct ValueId {
  uint32_t node = UINT32_MAX;
  uint32_t result = 0;
  bool operator==(const ValueId&) const = default;
  auto operator<=>(const ValueId&) const = default;
};

/// A value under construction: what models and rules compute with (`a + b`, `rms_norm(x, w, eps)`: ops/ops.h).
/// A default-made Value is "absent": optional operands take it.
struct Value {
  Builder* builder = nullptr;
  ValueId id;
  explicit operator bool() const { return builder != nullptr; }
  const Type& type() const;
  const Dim& dim(int i) const;  ///< negative from the end
};

using AttrValue =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, Format, std::shared_ptr<const Graph>, Tensor>;

/// A node's attributes: few, kept sorted by name, so that equal nodes print and compare alike.
class Attrs {
 public:
  Attrs() = default;
  Attrs(std::initializer_list<std::pair<std::string_view, AttrValue>> entries);
  void set(std::string_view name, AttrValue value);
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// These throw ShapeError naming the attribute when it is absent or of another kind.
  int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  const std::vector<int64_t>& list(std::string_view name) const;
  Format format(std::string_view name) const;
  const Graph& graph(std::string_view name) const;
  std::shared_ptr<const Graph> shared_graph(std::string_view name) const;
  const Tensor& tensor(std::string_view name) const;
  /// These give the default when it is absent.
  int64_t integer_or(std::string_view name, int64_t fallback) const;
  double number_or(std::string_view name, double fallback) const;
  std::string text_or(std::string_view name, std::string fallback) const;
  const std::vector<std::pair<std::string, AttrValue>>& entries() const { return entries_; }

 private:
  const AttrValue* find(std::string_view name) const;
  std::vector<std::pair<std::string, AttrValue>> entries_;
};

/// Where a node came from, in the model's language; rewrites unite the origins of what they replace.
struct Origin {
  std::vector<std::string> scopes;  ///< "model.layers.0.self_attn"
  std::vector<std::string> ops;     ///< source ops: "rms_norm", "contract"
  void merge(const Origin& other);
};

struct Node {
  const OpInfo* op = nullptr;
  std::vector<ValueId> inputs;
  Attrs attrs;
  std::vector<Type> types;  ///< one per result
  Origin origin;
};

/// How long a state's rows live: one slot per page of tokens, per sequence, per source (encoder output), per process.
enum class Lifetime : uint8_t { token, sequence, source, process };
std::string_view name(Lifetime lifetime);

class Graph {
 public:
  struct Output {
    std::string name;
    ValueId value;
  };
  /// The version of a state that the step leaves behind.
  struct StateResult {
    uint32_t state;  ///< the `state` node
    ValueId value;
  };

  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& node(uint32_t index) const { return nodes_[index]; }
  const Node& node(ValueId value) const { return nodes_[value.node]; }
  const Type& type(ValueId value) const { return nodes_[value.node].types[value.result]; }
  /// Nodes of the leaf ops, in order of appearance.
  const std::vector<uint32_t>& inputs() const { return inputs_; }
  const std::vector<uint32_t>& parameters() const { return parameters_; }
  const std::vector<uint32_t>& states() const { return states_; }
  const std::vector<Output>& outputs() const { return outputs_; }
  const std::vector<StateResult>& state_results() const { return state_results_; }
  /// Operand types of a node.
  std::vector<Type> operand_types(const Node& node) const;
  /// For each node, how often its results are used (by nodes, outputs and state results).
  std::vector<uint32_t> use_counts() const;

 private:
  friend class Builder;
  std::vector<Node> nodes_;
  std::vector<uint32_t> inputs_, parameters_, states_;
  std::vector<Output> outputs_;
  std::vector<StateResult> state_results_;
};

/// Text of a graph, one node a line: "%7 = rms_norm(%3, %w2) {eps=1e-06} : f32[tokens, 512]  # model.layers.0".
/// Deterministic.
std::string print(const Graph& graph);
/// Text of what a value is computed from (a parameter expression, for keys of packs).
std::string print_expression(const Graph& graph, ValueId value);

/// Checks that every operand exists before its use, that types are what `infer` says, that every state version is
/// updated at most once and not read after its update, that the last version is the state's result, that regions are
/// closed. Throws ShapeError naming the node.
void verify(const Graph& graph);

}  // namespace braid
