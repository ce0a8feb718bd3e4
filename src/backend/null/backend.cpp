#include "backend/null/backend.h"

#include <algorithm>

#include "backend/arena.h"
#include "core/error.h"
#include "rewrite/passes.h"

namespace braid::null {
namespace {

class NullExecutable : public Executable {
 public:
  NullExecutable(Graph graph, const CompileOptions& options, std::shared_ptr<Record> record)
      : graph_(std::move(graph)),
        options_(options),
        record_(std::move(record)),
        arena_(plan_arena(graph_, options.bounds)) {}

  void bind(WeightStore&, StateMap& states) override {
    for (uint32_t n : graph_.parameters()) record_->bound.push_back(graph_.node(n).attrs.text("name"));
    for (uint32_t n : graph_.states())
      if (const std::string& name = graph_.node(n).attrs.text("name"); states.find(name) == states.end())
        throw Error("a state is missing", {.file = {}, .field = name, .offset = {}});
  }

  void prepare(const StepData& step) override {
    for (uint32_t n : graph_.inputs()) {
      const std::string& name = graph_.node(n).attrs.text("name");
      if (std::ranges::none_of(step.inputs, [&](const NamedTensor& input) { return input.name == name; }))
        throw Error("a step input is missing", {.file = {}, .field = name, .offset = {}});
    }
    sizes_ = step.sizes;
    inputs_.clear();
    for (const NamedTensor& input : step.inputs) inputs_.push_back(input.name);
  }

  Status run() noexcept override {
    try {
      record_->steps.push_back({options_.size_class, sizes_, inputs_});
      return {};
    } catch (const std::exception& error) {
      return {.ok = false, .message = error.what()};
    }
  }

  Tensor output(std::string_view name) const override {
    for (const auto& output : graph_.outputs())
      if (output.name == name)
        return Tensor::make(sizes_at(graph_.type(output.value).shape, sizes_), graph_.type(output.value).format);
    throw Error("no such output", {.file = {}, .field = std::string(name), .offset = {}});
  }
  std::vector<std::string> outputs() const override {
    std::vector<std::string> names;
    for (const auto& output : graph_.outputs()) names.push_back(output.name);
    return names;
  }
  Receipt receipt() const override {
    return {.device = "null", .size_class = options_.size_class, .compute = "nothing", .lines = {}};
  }
  uint64_t arena_bytes() const override { return arena_.bytes; }
  const Graph& graph() const override { return graph_; }

 private:
  Graph graph_;
  CompileOptions options_;
  std::shared_ptr<Record> record_;
  ArenaPlan arena_;
  SymbolValues sizes_;
  std::vector<std::string> inputs_;
};

}  // namespace

LoadRunner NullBackend::load_runner() const {
  return [](const Graph& load, ParameterSource&) {
    const Type& type = load.type(load.outputs().front().value);
    return Tensor::make(sizes_at(type.shape, {}), type.format, type.layout);
  };
}

std::unique_ptr<Executable> NullBackend::compile(const Graph& graph, const CompileOptions& options) {
  PipelineOptions pipeline;
  pipeline.rewrite = options.rewrite;
  pipeline.max_tokens = options.bounds[Symbol::tokens];
  pipeline.claimed = [](const Graph&, const Node&) { return true; };
  record_->compiled.push_back(options.size_class);
  return std::make_unique<NullExecutable>(run_passes(graph, pipeline), options, record_);
}

}  // namespace braid::null
