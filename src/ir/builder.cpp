#include "ir/builder.h"

#include <utility>

#include "core/error.h"

namespace braid {

std::vector<Value> Builder::append(Node node) {
  const bool rewritten = !origin_.scopes.empty() || !origin_.ops.empty();
  if (rewritten) {
    node.origin = origin_;
  } else if (node.origin.scopes.empty() && node.origin.ops.empty()) {
    if (!scope_.empty()) node.origin.scopes.push_back(scope_);
    node.origin.ops.emplace_back(node.op->name);
  }
  const auto index = static_cast<uint32_t>(graph_.nodes_.size());
  if (node.op == &op::input) graph_.inputs_.push_back(index);
  if (node.op == &op::parameter) graph_.parameters_.push_back(index);
  if (node.op == &op::state) graph_.states_.push_back(index);
  std::vector<Value> results;
  for (uint32_t r = 0; r < node.types.size(); ++r) results.push_back({this, {index, r}});
  graph_.nodes_.push_back(std::move(node));
  return results;
}

std::vector<Value> Builder::add_all(const OpInfo& op, std::vector<Value> operands, Attrs attrs) {
  Node node{.op = &op, .inputs = {}, .attrs = std::move(attrs), .types = {}, .origin = {}};
  std::vector<Type> types;
  for (const Value& v : operands) {
    if (v.builder != this)
      throw ShapeError(std::string(op.name) + ": an operand is absent or of another graph",
                       {.file = {}, .field = scope_, .offset = {}});
    node.inputs.push_back(v.id);
    types.push_back(v.type());
  }
  try {
    node.types = op.infer(types, node.attrs);
  } catch (const ShapeError& error) {
    throw ShapeError(std::string(op.name) + ": " + error.message(), {.file = {}, .field = scope_, .offset = {}});
  }
  return append(std::move(node));
}

Value Builder::add(const OpInfo& op, std::vector<Value> operands, Attrs attrs) {
  return add_all(op, std::move(operands), std::move(attrs)).front();
}

Value Builder::input(std::string name, Type type) {
  for (uint32_t n : graph_.inputs_)
    if (graph_.nodes_[n].attrs.text("name") == name) return {this, {n, 0}};
  return append({.op = &op::input,
                 .inputs = {},
                 .attrs = {{"name", std::move(name)}},
                 .types = {std::move(type)},
                 .origin = {}})
      .front();
}

Value Builder::parameter(std::string name, Type type) {
  if (auto it = parameters_.find(name); it != parameters_.end()) return {this, it->second};
  Value v =
      append({.op = &op::parameter, .inputs = {}, .attrs = {{"name", name}}, .types = {std::move(type)}, .origin = {}})
          .front();
  parameters_.emplace(std::move(name), v.id);
  return v;
}

Value Builder::pack(std::string name, std::shared_ptr<const Graph> load, Type type) {
  if (auto it = parameters_.find(name); it != parameters_.end()) return {this, it->second};
  Value v = append({.op = &op::parameter,
                    .inputs = {},
                    .attrs = {{"name", name}, {"load", std::move(load)}},
                    .types = {std::move(type)},
                    .origin = {}})
                .front();
  parameters_.emplace(std::move(name), v.id);
  return v;
}

Value Builder::constant(Tensor value) {
  Type type = value.type();
  return append({.op = &op::constant,
                 .inputs = {},
                 .attrs = {{"value", std::move(value)}},
                 .types = {std::move(type)},
                 .origin = {}})
      .front();
}

Value Builder::scalar(double value) {
  const float number = static_cast<float>(value);
  return constant(Tensor::of({}, std::span<const float>(&number, 1)));
}

Value Builder::state(std::string name, Type type, Lifetime lifetime) {
  return append({.op = &op::state,
                 .inputs = {},
                 .attrs = {{"name", std::move(name)}, {"lifetime", static_cast<int64_t>(lifetime)}},
                 .types = {std::move(type)},
                 .origin = {}})
      .front();
}

void Builder::output(std::string name, Value value) { graph_.outputs_.push_back({std::move(name), value.id}); }

void Builder::state_result(Value state, Value version) {
  for (auto& entry : graph_.state_results_) {
    if (entry.state == state.id.node) {
      entry.value = version.id;
      return;
    }
  }
  graph_.state_results_.push_back({state.id.node, version.id});
}

std::vector<Value> Builder::copy(const Node& node, std::vector<Value> operands) {
  if (node.op == &op::parameter) {
    if (auto it = parameters_.find(node.attrs.text("name")); it != parameters_.end()) return {{this, it->second}};
  }
  Node made = node;
  made.inputs.clear();
  for (const Value& v : operands) made.inputs.push_back(v.id);
  if (node.op->infer != nullptr) {
    std::vector<Type> types;
    for (const Value& v : operands) types.push_back(v.type());
    made.types = node.op->infer(types, made.attrs);
  }
  std::vector<Value> results = append(std::move(made));
  if (node.op == &op::parameter) parameters_.emplace(node.attrs.text("name"), results.front().id);
  return results;
}

std::vector<Value> Builder::inline_graph(const Graph& body, std::span<const Value> arguments) {
  if (arguments.size() != body.inputs().size())
    throw ShapeError("a region of " + std::to_string(body.inputs().size()) + " inputs is given " +
                     std::to_string(arguments.size()));
  std::vector<std::vector<Value>> made(body.nodes().size());
  size_t next = 0;
  for (uint32_t n = 0; n < body.nodes().size(); ++n) {
    const Node& node = body.node(n);
    if (node.op == &op::input) {
      made[n] = {arguments[next++]};
      continue;
    }
    std::vector<Value> operands;
    for (ValueId v : node.inputs) operands.push_back(made[v.node][v.result]);
    made[n] = copy(node, std::move(operands));
  }
  std::vector<Value> outputs;
  for (const auto& o : body.outputs()) outputs.push_back(made[o.value.node][o.value.result]);
  return outputs;
}

Graph Builder::finish() {
  verify(graph_);
  return std::move(graph_);
}

}  // namespace braid
