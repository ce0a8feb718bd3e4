// x / sqrt(mean(x²) + ε) · weight over the last dimension (arXiv:1910.07467). Operands: x (…, n), weight (n).
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  attrs.number("epsilon");
  check_count(operands, 2);
  check_format(operands, 0, Format::f32);
  check_rank_at_least(operands, 0, 1);
  check_floating(operands, 1);
  check_number(operands, 0, operands[0].rank() - 1);
  check_shape(operands, 1, {operands[0].last()});
  return {operands[0]};
}

std::vector<Value> expand(Builder&, const Node& node, std::span<const Value> operands) {
  Value x = operands[0];
  return {x * rsqrt(mean(x * x, -1, true) + node.attrs.number("epsilon")) * as_f32(operands[1])};
}

}  // namespace

const OpInfo op::rms_norm{.name = "rms_norm", .kind = Kind::composite, .infer = infer, .expand = expand};

Value rms_norm(Value x, Value weight, double epsilon) {
  return append(op::rms_norm, {x, weight}, {{"epsilon", epsilon}});
}

}  // namespace braid
