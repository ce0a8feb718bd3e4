// What no kernel takes is interpreted: correct, slow, and named in the receipt. It allocates; everything else here does
// not.

#include <algorithm>
#include <cstring>
#include <string>

#include "backend/cpu/steps/steps.h"
#include "backend/oracle/interpret.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

class InterpretStep : public Step {
 public:
  explicit InterpretStep(const StepRequest& request) : updates_(updates(request.node)), interpreter_(single(request)) {}

  void prepare(const SymbolValues& values) override { feeds_.sizes = values; }

  void run(const Worker& worker) noexcept override {
    if (!worker.first()) return;
    try {
      for (size_t i = 0; i < in.size(); ++i) {
        if (updated(i))
          feeds_.states[name(i)] = view(in[i]);  // in place
        else
          feeds_.inputs[name(i)] = view(in[i]);
      }
      for (const NamedTensor& result : interpreter_.run(feeds_))
        std::memcpy(out[std::stoul(result.name)].data, result.tensor.bytes(), result.tensor.byte_size());
    } catch (const std::exception&) {
      // The results become NaN, which the engine reports as the failure of the request.
      for (Operand& result : out) std::memset(result.data, 0xff, result.row_bytes() * static_cast<size_t>(result.rows));
    }
  }

 private:
  static std::string name(size_t operand) { return "in" + std::to_string(operand); }
  bool updated(size_t operand) const {
    return std::ranges::any_of(updates_, [&](const auto& update) { return update.first == operand; });
  }
  Graph single(const StepRequest& request) const {
    Builder builder;
    std::vector<Value> inputs;
    for (size_t i = 0; i < request.node.inputs.size(); ++i) {
      const Type& type = request.graph.type(request.node.inputs[i]);
      inputs.push_back(updated(i) ? builder.state(name(i), type, Lifetime::sequence) : builder.input(name(i), type));
    }
    const std::vector<Value> results = builder.copy(request.node, inputs);
    for (uint32_t r = 0; r < results.size(); ++r) {
      const auto update = std::ranges::find_if(updates_, [&](const auto& u) { return u.second == r; });
      if (update != updates_.end())
        builder.state_result(inputs[update->first], results[r]);
      else
        builder.output(std::to_string(r), results[r]);
    }
    return builder.finish();
  }
  static Tensor view(const Operand& operand) {
    Tensor tensor{operand.sizes, operand.type.format, operand.type.layout, nullptr, 0};
    tensor.buffer = Buffer::adopt({operand.data, tensor.byte_size()}, nullptr);
    return tensor;
  }
  Updates updates_;
  oracle::Interpreter interpreter_;
  oracle::Feeds feeds_;
};

std::string rejects(const StepRequest&) { return {}; }

}  // namespace

const KernelEntry kInterpret{
    "interpret", "any", "f64, in order", "", 100.0, rejects, [](const StepRequest& r) -> std::unique_ptr<Step> {
      return std::make_unique<InterpretStep>(r);
    }};

}  // namespace braid::cpu
