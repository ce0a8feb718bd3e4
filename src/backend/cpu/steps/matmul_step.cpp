// Products of two activations, batch by batch: what is left when a composite (attention) is expanded.

#include <algorithm>

#include "backend/cpu/steps/steps.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

constexpr int64_t kColumns = 64;

class MatmulStep : public Step {
 public:
  explicit MatmulStep(const StepRequest& r)
      : kernels_(r.kernels), k_(r.graph.type(r.node.inputs[0]).last().at(r.bounds)) {}
  size_t scratch_bytes() const override { return product_scratch_bytes(); }

  void run(const Worker& worker) noexcept override {
    const Operand& x = in[0];
    const Operand& w = in[1];
    const int64_t m = x.sizes[x.sizes.size() - 2], n = w.sizes[w.sizes.size() - 2], k = x.last;
    const int64_t batches = m == 0 ? 0 : x.rows / m, ranges = (n + kColumns - 1) / kColumns;
    claim(0, batches * ranges, 1, [&](int64_t unit, int64_t) {
      const int64_t batch = unit / ranges;
      Product p;
      p.x = x.data + static_cast<size_t>(batch * m) * x.row_bytes();
      p.x_row_bytes = x.row_bytes();
      p.rows = m;
      p.w = w.data + static_cast<size_t>(batch * n) * w.row_bytes();
      p.w_row_bytes = w.row_bytes();
      p.n_begin = unit % ranges * kColumns;
      p.n_end = std::min(p.n_begin + kColumns, n);
      p.k = k;
      p.y = out[0].as<float>() + batch * m * n + p.n_begin;
      p.y_stride = n;
      p.scratch = worker.scratch;
      kernels_.product_f32_f32(p);
    });
  }

 private:
  const Kernels& kernels_;
  int64_t k_;
};

std::string rejects(const StepRequest& request) {
  if (request.node.op != &op::contract || request.node.inputs.size() != 2) return "not a product of two operands";
  const Type& w = request.graph.type(request.node.inputs[1]);
  if (w.format != Format::f32 || request.graph.type(request.node.inputs[0]).format != Format::f32)
    return "an operand is not f32";
  if (w.rank() == 2 && request.graph.type(request.node.inputs[0]).rank() != 2)
    return "one matrix is shared by all batches";
  return {};
}

}  // namespace

const KernelEntry kMatmul{
    "matmul",
    "contract",
    "f32, whole K, one vector",
    "",
    3.5,
    rejects,
    [](const StepRequest& r) -> std::unique_ptr<Step> { return std::make_unique<MatmulStep>(r); }};

}  // namespace braid::cpu
