#include "backend/oracle/backend.h"

#include <algorithm>
#include <cstdint>

#include "backend/oracle/interpret.h"
#include "core/error.h"
#include "rewrite/passes.h"

namespace braid::oracle {
namespace {

class OracleExecutable : public Executable {
 public:
  OracleExecutable(const Graph& graph, const CompileOptions& options) : interpreter_(graph), options_(options) {}

  void bind(WeightStore& weights, StateMap& states) override {
    for (const uint32_t n : graph().parameters())
      parameters_.emplace(graph().node(n).attrs.text("name"), weights.get(graph().node(n)));
    feeds_.parameters = [this](const Node& node) { return parameters_.find(node.attrs.text("name"))->second; };
    for (const uint32_t n : graph().states()) {
      const std::string& state = graph().node(n).attrs.text("name");
      const auto found = states.find(state);
      if (found == states.end()) throw Error("state is not bound", {.file = {}, .field = state, .offset = {}});
      feeds_.states.insert(*found);
    }
  }

  void prepare(const StepData& step) override {
    for (const Symbol s : {Symbol::tokens, Symbol::sequences, Symbol::rows})
      if (step.sizes[s] > options_.bounds[s])
        throw Error("a step of " + std::to_string(step.sizes[s]) + " " + std::string(braid::name(s)) +
                        " is larger than the bound of " + std::to_string(options_.bounds[s]),
                    {.file = {}, .field = std::string(braid::name(s)), .offset = {}});
    feeds_.sizes = step.sizes;
    for (const Symbol s : {Symbol::pages, Symbol::slots, Symbol::source_slots}) feeds_.sizes[s] = options_.bounds[s];
    feeds_.inputs.clear();
    for (const NamedTensor& input : step.inputs) feeds_.inputs.emplace(input.name, input.tensor);
    for (const uint32_t n : graph().inputs())
      if (const std::string& input = graph().node(n).attrs.text("name"); !feeds_.inputs.contains(input))
        throw Error("the step lacks an input", {.file = {}, .field = input, .offset = {}});
  }

  Status run() noexcept override try {
    outputs_ = interpreter_.run(feeds_);
    return {};
  } catch (const std::exception& error) {
    return {.ok = false, .message = error.what()};
  }

  Tensor output(std::string_view name) const override {
    const auto found = std::ranges::find(outputs_, name, &NamedTensor::name);
    return found == outputs_.end() ? Tensor{} : found->tensor;
  }
  std::vector<std::string> outputs() const override {
    std::vector<std::string> names;
    for (const Graph::Output& output : graph().outputs()) names.push_back(output.name);
    return names;
  }
  Receipt receipt() const override {
    return {.device = "oracle",
            .size_class = options_.size_class,
            .compute = "core ops, f64 accumulators, rounded once",
            .lines = {}};
  }
  uint64_t arena_bytes() const override { return 0; }
  const Graph& graph() const override { return interpreter_.graph(); }

 private:
  Interpreter interpreter_;
  CompileOptions options_;
  std::map<std::string, Tensor, std::less<>> parameters_;
  Feeds feeds_;
  std::vector<NamedTensor> outputs_;
};

}  // namespace

LoadRunner OracleBackend::load_runner() const {
  return [](const Graph& load, ParameterSource& source) {
    const Feeds feeds{.sizes = {},
                      .inputs = {},
                      .parameters = parameters_by_name([&](std::string_view name) { return source.get(name); }),
                      .states = {}};
    return interpret(load, feeds).at(0).tensor;
  };
}

std::vector<SizeClass> OracleBackend::size_classes() const { return {{"many", INT64_MAX}}; }

std::unique_ptr<Executable> OracleBackend::compile(const Graph& graph, const CompileOptions& options) {
  return std::make_unique<OracleExecutable>(split_load_graph(set_precision(graph, options.rewrite, {})), options);
}

std::shared_ptr<OracleBackend> make_oracle_backend() { return std::make_shared<OracleBackend>(); }

}  // namespace braid::oracle
