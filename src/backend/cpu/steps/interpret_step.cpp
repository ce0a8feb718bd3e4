// What no kernel takes is interpreted: correct, slow, and named in the receipt. It allocates; everything else here does not.

#include <cstring>

#include "backend/cpu/steps/steps.h"
#include "backend/oracle/interpret.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

class InterpretStep : public Step {
 public:
  explicit InterpretStep(const StepRequest& request) : interpreter_(single(request)) {}

  void prepare(const SymbolValues& values) override { feeds_.sizes = values; }

  void run(const Worker& worker) noexcept override {
    if (!worker.first()) return;
    try {
      for (size_t i = 0; i < in.size(); ++i) feeds_.inputs["in" + std::to_string(i)] = view(in[i]);
      const std::vector<NamedTensor> results = interpreter_.run(feeds_);
      for (size_t r = 0; r < out.size(); ++r) std::memcpy(out[r].data, results[r].tensor.bytes(), results[r].tensor.byte_size());
    } catch (const std::exception&) {
      // The results become NaN, which the engine reports as the failure of the request.
      for (Operand& result : out) std::memset(result.data, 0xff, result.row_bytes() * static_cast<size_t>(result.rows));
    }
  }

 private:
  static Graph single(const StepRequest& request) {
    Builder builder;
    std::vector<Value> inputs;
    for (size_t i = 0; i < request.node.inputs.size(); ++i) inputs.push_back(builder.input("in" + std::to_string(i), request.graph.type(request.node.inputs[i])));
    const std::vector<Value> results = builder.copy(request.node, inputs);
    for (size_t r = 0; r < results.size(); ++r) builder.output("out" + std::to_string(r), results[r]);
    return builder.finish();
  }
  static Tensor view(const Operand& operand) {
    Tensor tensor{operand.sizes, operand.type.format, operand.type.layout, nullptr, 0};
    tensor.buffer = Buffer::adopt({operand.data, tensor.byte_size()}, nullptr);
    return tensor;
  }
  oracle::Interpreter interpreter_;
  oracle::Feeds feeds_;
};

std::string rejects(const StepRequest& request) {
  if (!updates(request.node).empty()) return "a state's new version cannot be interpreted in place";
  return {};
}

}  // namespace

const KernelEntry kInterpret{"interpret", "any", "f64, in order", "", 100.0, rejects,
                             [](const StepRequest& r) -> std::unique_ptr<Step> { return std::make_unique<InterpretStep>(r); }};

}  // namespace braid::cpu
