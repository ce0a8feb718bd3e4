#include "backend/oracle/backend.h"

#include <cstring>
#include <exception>

#include "backend/oracle/interpret.h"
#include "core/error.h"
#include "rewrite/passes.h"

namespace braid::oracle {
namespace {

Tensor copy_of(const Tensor& tensor) {
  Tensor copy = Tensor::make(tensor.shape, tensor.format, tensor.layout);
  std::memcpy(copy.bytes(), tensor.bytes(), tensor.byte_size());
  return copy;
}

class OracleExecutable : public Executable {
 public:
  OracleExecutable(const Graph& graph, std::string size_class)
      : interpreter_(graph), size_class_(std::move(size_class)) {}

  void bind(WeightStore& weights, StateMap& states) override {
    std::map<std::string, Tensor, std::less<>> parameters;
    for (uint32_t n : graph().parameters())
      parameters[graph().node(n).attrs.text("name")] = weights.get(graph().node(n));
    feeds_.parameters = [parameters = std::move(parameters)](const Node& node) {
      return parameters.at(node.attrs.text("name"));
    };
    feeds_.states.clear();
    for (uint32_t n : graph().states()) {
      const std::string& name = graph().node(n).attrs.text("name");
      auto it = states.find(name);
      if (it == states.end()) throw Error("a state is missing", {.file = {}, .field = name, .offset = {}});
      feeds_.states[name] = it->second;
    }
  }

  void prepare(const StepData& step) override {
    feeds_.sizes = step.sizes;
    for (uint32_t n : graph().states()) {  // pools have the sizes that they were bound with
      const Node& node = graph().node(n);
      const Shape& shape = node.types[0].shape;
      if (!shape.empty() && !shape.front().is_number())
        feeds_.sizes[shape.front().symbol] = feeds_.states.at(node.attrs.text("name")).shape.front();
    }
    feeds_.inputs.clear();
    for (const NamedTensor& input : step.inputs) feeds_.inputs[input.name] = copy_of(input.tensor);
    interpreter_.check(feeds_);
  }

  Status run() noexcept override {
    try {
      outputs_ = interpreter_.run(feeds_);
      return {};
    } catch (const std::exception& error) {
      return {.ok = false, .message = error.what()};
    }
  }

  Tensor output(std::string_view name) const override {
    for (const NamedTensor& output : outputs_)
      if (output.name == name) return output.tensor;
    throw Error("no such output", {.file = {}, .field = std::string(name), .offset = {}});
  }

  std::vector<std::string> outputs() const override {
    std::vector<std::string> names;
    for (const auto& output : graph().outputs()) names.push_back(output.name);
    return names;
  }

  Receipt receipt() const override {
    Receipt receipt{
        .device = "oracle", .size_class = size_class_, .compute = "f32 values, f64 accumulators", .lines = {}};
    for (uint32_t n = 0; n < graph().nodes().size(); ++n) {
      const Node& node = graph().node(n);
      if (node.op->kind == Kind::leaf) continue;
      ReceiptLine line;
      line.node = "%" + std::to_string(n) + " " + std::string(node.op->name);
      for (const std::string& scope : node.origin.scopes) line.origin += (line.origin.empty() ? "" : " + ") + scope;
      line.kernel = "oracle";
      for (const Type& type : graph().operand_types(node))
        line.formats += (line.formats.empty() ? "" : " × ") + std::string(info(type.format).name);
      line.formats += " → " + std::string(info(node.types[0].format).name);
      line.order = "f64, index order";
      receipt.lines.push_back(std::move(line));
    }
    return receipt;
  }

  uint64_t arena_bytes() const override { return 0; }
  const Graph& graph() const override { return interpreter_.graph(); }

 private:
  Interpreter interpreter_;
  std::string size_class_;
  Feeds feeds_;
  std::vector<NamedTensor> outputs_;
};

}  // namespace

LoadRunner OracleBackend::load_runner() const {
  return [](const Graph& load, ParameterSource& source) {
    Feeds feeds;
    feeds.parameters = parameters_by_name([&source](std::string_view name) { return source.get(name); });
    Tensor result = interpret(load, feeds).front().tensor;
    source.check();
    return result;
  };
}

std::unique_ptr<Executable> OracleBackend::compile(const Graph& graph, const CompileOptions& options) {
  return std::make_unique<OracleExecutable>(split_load_graph(set_precision(graph, options.rewrite, {})),
                                            options.size_class);
}

}  // namespace braid::oracle
