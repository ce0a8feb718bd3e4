// Elementwise nodes: tile programs of one instruction over rows, with numpy's broadcasting.

#include <algorithm>

#include "backend/cpu/steps/steps.h"
#include "backend/cpu/tile.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

constexpr int64_t kGrainFloats = 16 << 10;  // of the result per claim

class TileStep : public Step {
 public:
  TileStep(const StepRequest& request, TileProgram program, std::vector<int> operands)
      : kernels_(request.kernels), program_(std::move(program)), operands_(std::move(operands)) {}

  size_t scratch_bytes() const override {
    return static_cast<size_t>(program_.scratch_floats(TileProgram::kPiece)) * sizeof(float);
  }

  void prepare(const SymbolValues&) override {
    // Distances, in floats, of neighbours along each dimension of the result; 0 where an operand is spread.
    const auto& shape = out[0].sizes;
    views_.resize(operands_.size());
    for (size_t i = 0; i < operands_.size(); ++i) {
      const auto& sizes = in[static_cast<size_t>(operands_[i])].sizes;
      View& view = views_[i];
      view.stride.assign(shape.size(), 0);
      int64_t stride = 1;
      for (size_t d = 0; d < sizes.size(); ++d) {
        const size_t from = sizes.size() - 1 - d, to = shape.size() - 1 - d;
        view.stride[to] = sizes[from] == 1 ? 0 : stride;
        stride *= sizes[from];
      }
      view.scalar = shape.empty() || (view.stride.back() == 0 && shape.back() != 1);
      program_.set_scalar(i, view.scalar);
    }
  }

  void run(const Worker& worker) noexcept override {
    const auto& shape = out[0].sizes;
    const int64_t last = out[0].last, rows = out[0].rows;
    const int64_t pieces = (last + TileProgram::kPiece - 1) / TileProgram::kPiece;
    const int64_t grain = std::max<int64_t>(1, kGrainFloats / std::min(last, TileProgram::kPiece));
    const float* inputs[48];
    float* outputs[8];
    claim(0, rows * pieces, grain, [&](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t row = unit / pieces, at = unit % pieces * TileProgram::kPiece;
        const int64_t n = std::min(TileProgram::kPiece, last - at);
        for (size_t i = 0; i < operands_.size(); ++i) {
          const View& view = views_[i];
          int64_t offset = view.scalar ? 0 : at;
          int64_t rest = row;
          for (size_t d = shape.size(); d-- > 1;) {
            offset += rest % shape[d - 1] * view.stride[d - 1];
            rest /= shape[d - 1];
          }
          inputs[i] = in[static_cast<size_t>(operands_[i])].floats() + offset;
        }
        for (size_t o = 0; o < out.size(); ++o) outputs[o] = out[o].as<float>() + row * last + at;
        program_.run(kernels_, inputs, outputs, reinterpret_cast<float*>(worker.scratch), n);
      }
    });
  }

 private:
  struct View {
    std::vector<int64_t> stride;
    bool scalar = false;
  };
  const Kernels& kernels_;
  TileProgram program_;
  std::vector<int> operands_;  // of the step, per input of the program
  std::vector<View> views_;
};

std::unique_ptr<Step> make(const StepRequest& request) {
  uint32_t index = 0;
  while (&request.graph.node(index) != &request.node) ++index;
  const ValueId result{index, 0};
  auto program = TileProgram::compile(request.graph, std::span(&index, 1), std::span(&result, 1));
  std::vector<int> operands;
  const auto& inputs = request.node.inputs;
  for (ValueId v : program->inputs())
    operands.push_back(static_cast<int>(std::find(inputs.begin(), inputs.end(), v) - inputs.begin()));
  return std::make_unique<TileStep>(request, std::move(*program), std::move(operands));
}

std::string rejects(const StepRequest& request) {
  if (!TileProgram::knows(request.node.op)) return "not an elementwise operation with a kernel";
  for (ValueId v : request.node.inputs)
    if (request.graph.type(v).format != Format::f32) return "an operand is not f32";
  if (request.node.types.front().format != Format::f32) return "the result is not f32";
  return {};
}

}  // namespace

const KernelEntry kTile{"tile", "elementwise", "", "", 1.0, rejects, make};

}  // namespace braid::cpu
