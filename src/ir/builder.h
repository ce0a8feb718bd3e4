#pragma once
// Builds a graph, node by node, checking types as it goes.

#include <map>
#include <string>

#include "ir/op.h"

namespace braid {

class Builder {
 public:
  Builder() = default;
  Builder(const Builder&) = delete;  // Values point at their builder
  Builder& operator=(const Builder&) = delete;

  /// Appends a node; returns its results. Throws ShapeError (with the current scope) when the operands do not fit.
  std::vector<Value> add_all(const OpInfo& op, std::vector<Value> operands, Attrs attrs = {});
  /// The same for ops with one result.
  Value add(const OpInfo& op, std::vector<Value> operands, Attrs attrs = {});

  Value input(std::string name, Type type);
  /// A checkpoint tensor; the same name gives the same value again.
  Value parameter(std::string name, Type type);
  /// A pack: `load` computes it from parameters (its outputs()[0]).
  Value pack(std::string name, std::shared_ptr<const Graph> load, Type type);
  Value constant(Tensor value);
  Value scalar(double value);  ///< f32[]
  Value state(std::string name, Type type, Lifetime lifetime);

  void output(std::string name, Value value);
  /// `version` is what the step leaves of `state` (a value of `state()`). Called again, the later call counts.
  void state_result(Value state, Value version);

  /// The scope that new nodes name as their origin.
  void set_scope(std::string scope) { scope_ = std::move(scope); }
  const std::string& scope() const { return scope_; }
  /// Until it is cleared, new nodes take this origin (used by rewrites).
  void set_origin(Origin origin) { origin_ = std::move(origin); }
  void clear_origin() { origin_ = {}; }

  const Graph& graph() const { return graph_; }
  Value value(ValueId id) { return {this, id}; }
  /// Copies a node of another graph with these operands; leaves keep their names.
  std::vector<Value> copy(const Node& node, std::vector<Value> operands);
  /// Inlines a graph: its inputs are replaced by `arguments` in order; returns its outputs.
  std::vector<Value> inline_graph(const Graph& body, std::span<const Value> arguments);

  /// Ends the building: verifies and returns the graph.
  Graph finish();

 private:
  std::vector<Value> append(Node node);
  Graph graph_;
  std::string scope_;
  Origin origin_;
  std::map<std::string, ValueId, std::less<>> parameters_;
};

}  // namespace braid
