// Arithmetic of the few i32 values of a step: positions, spans, rows of experts. One worker does it.

#include <algorithm>

#include "backend/cpu/steps/steps.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

int32_t floor_div(int32_t a, int32_t b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<int32_t>(-static_cast<int64_t>(a));
  const int32_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

/// Wraps around like every i32 arithmetic here.
int32_t wrap(int64_t value) { return static_cast<int32_t>(static_cast<uint32_t>(value)); }

int32_t calculate(const OpInfo* info, int32_t a, int32_t b) {
  if (info == &op::add) return wrap(static_cast<int64_t>(a) + b);
  if (info == &op::sub) return wrap(static_cast<int64_t>(a) - b);
  if (info == &op::mul) return wrap(static_cast<int64_t>(a) * b);
  if (info == &op::div) return floor_div(a, b);
  return info == &op::maximum ? std::max(a, b) : std::min(a, b);
}

bool knows(const OpInfo* info) {
  return info == &op::add || info == &op::sub || info == &op::mul || info == &op::div || info == &op::maximum ||
         info == &op::minimum;
}

class IntegerStep : public Step {
 public:
  explicit IntegerStep(const StepRequest& r) : op_(r.node.op) {}
  void run(const Worker& worker) noexcept override {
    if (!worker.first()) return;
    for (int64_t i = 0; i < out[0].elements(); ++i)
      out[0].as<int32_t>()[i] = calculate(op_, at(in[0], i), at(in[1], i));
  }

 private:
  /// An operand's element for element i of the result, broadcast as in numpy.
  int32_t at(const Operand& x, int64_t i) const {
    const auto& shape = out[0].sizes;
    int64_t offset = 0, stride = 1;
    for (size_t d = 0; d < shape.size(); ++d) {
      const int64_t size = shape[shape.size() - 1 - d], place = i % size;
      i /= size;
      if (d >= x.sizes.size()) break;
      const int64_t own = x.sizes[x.sizes.size() - 1 - d];
      if (own != 1) offset += place * stride;
      stride *= own;
    }
    return x.ints()[offset];
  }
  const OpInfo* op_;
};

std::string rejects(const StepRequest& request) {
  if (!knows(request.node.op)) return "not integer arithmetic";
  for (ValueId v : request.node.inputs)
    if (request.graph.type(v).format != Format::i32) return "an operand is not i32";
  return {};
}

}  // namespace

const KernelEntry kInteger{
    "integer", "elementwise", "", "", 1.0, rejects, [](const StepRequest& r) -> std::unique_ptr<Step> {
      return std::make_unique<IntegerStep>(r);
    }};

}  // namespace braid::cpu
