#include "backend/oracle/interpret.h"

#include <cstring>

#include "backend/oracle/program.h"
#include "core/error.h"

namespace braid::oracle {
namespace {

Tensor copy_of(const Tensor& tensor) {
  Tensor copy = Tensor::make(tensor.shape, tensor.format, tensor.layout);
  std::memcpy(copy.bytes(), tensor.bytes(), tensor.byte_size());
  return copy;
}

template <class Map>
Tensor find(const Map& map, const std::string& name) {
  auto it = map.find(name);
  return it == map.end() ? Tensor{} : it->second;
}

/// The value of a leaf, of the type that it should have at the sizes of the step.
Tensor fed(const Graph& graph, uint32_t index, const Feeds& feeds) {
  const Node& node = graph.node(index);
  const Type& type = node.types[0];
  const std::string& name = node.attrs.text("name");
  Tensor tensor;
  if (node.op == &op::input) tensor = find(feeds.inputs, name);
  if (node.op == &op::state) tensor = find(feeds.states, name);
  if (node.op == &op::parameter && feeds.parameters) tensor = feeds.parameters(node);
  const Place place{.file = {}, .field = name, .offset = {}};
  const std::string kind(node.op->name);
  if (!tensor) throw Error("the value of this " + kind + " is missing", place);
  if (tensor.shape != sizes_at(type.shape, feeds.sizes) || tensor.format != type.format || tensor.layout != type.layout)
    throw Error("the value of this " + kind + " is " + to_string(tensor.type()) + ", not " + to_string(type) +
                    " at the sizes of the step",
                place);
  return tensor;
}

}  // namespace

Interpreter::Interpreter(const Graph& graph) : program_(std::make_unique<Program>(graph)) {}
Interpreter::~Interpreter() = default;
Interpreter::Interpreter(Interpreter&&) noexcept = default;

const Graph& Interpreter::graph() const { return program_->graph(); }

void Interpreter::check(const Feeds& feeds) const {
  const Graph& graph = program_->graph();
  for (const auto* leaves : {&graph.inputs(), &graph.states()})
    for (uint32_t n : *leaves) fed(graph, n, feeds);
}

std::vector<NamedTensor> Interpreter::run(const Feeds& feeds) const {
  const Graph& graph = program_->graph();
  std::vector<Tensor> results = program_->run([&](uint32_t n) { return fed(graph, n, feeds); }, feeds.sizes);

  std::vector<NamedTensor> named;
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const auto& output = graph.outputs()[i];
    // The memory of an output is its reader's; that of a leaf or of a state's version is not.
    const Node& node = graph.node(output.value);
    const bool shared = node.op->kind == Kind::leaf || !updates(node).empty();
    named.push_back({output.name, shared ? copy_of(results[i]) : results[i]});
  }
  for (size_t i = 0; i < graph.state_results().size(); ++i) {
    const Tensor& version = results[graph.outputs().size() + i];
    const Tensor state = find(feeds.states, graph.node(graph.state_results()[i].state).attrs.text("name"));
    if (version.bytes() != state.bytes()) std::memcpy(state.bytes(), version.bytes(), state.byte_size());
  }
  return named;
}

std::vector<NamedTensor> interpret(const Graph& graph, const Feeds& feeds) { return Interpreter(graph).run(feeds); }

std::function<Tensor(const Node&)> parameters_by_name(std::function<Tensor(std::string_view)> tensors) {
  return [tensors = std::move(tensors)](const Node& node) {
    if (!node.attrs.has("load")) return tensors(node.attrs.text("name"));
    Feeds feeds{.sizes = {}, .inputs = {}, .parameters = parameters_by_name(tensors), .states = {}};
    return interpret(node.attrs.graph("load"), feeds).at(0).tensor;
  };
}

}  // namespace braid::oracle
