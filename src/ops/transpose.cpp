// Result dimension i is the operand's dimension order[i].
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  const auto& order = attrs.list("order");
  check_rank(operands, 0, order.size());
  Type out = operands[0];
  std::vector<bool> seen(order.size(), false);
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i] < 0 || order[i] >= static_cast<int64_t>(order.size()) || seen[static_cast<size_t>(order[i])])
      throw ShapeError("order is not a permutation of the dimensions");
    seen[static_cast<size_t>(order[i])] = true;
    out.shape[i] = operands[0][static_cast<size_t>(order[i])];
  }
  if (operands[0].layout != Layout::row_major) fail_operand(0, operands[0], "is packed");
  if (is_quantized(out.format) && order.back() + 1 != static_cast<int64_t>(order.size()))
    fail_operand(0, operands[0], "is quantised: its last dimension should stay");
  return {out};
}

}  // namespace

const OpInfo op::transpose{.name = "transpose", .kind = Kind::move, .infer = infer};

Value transpose(Value x, std::vector<int64_t> order) {
  return append(op::transpose, {x}, {{"order", std::move(order)}});
}

}  // namespace braid
