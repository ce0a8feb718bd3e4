// (x - mean(x)) / sqrt(var(x) + ε) · weight + bias over the last dimension (arXiv:1607.06450).
// Operands: x (…, n), weight (n), [bias (n)].
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  attrs.number("epsilon");
  check_count(operands, 2, 3);
  check_format(operands, 0, Format::f32);
  check_rank_at_least(operands, 0, 1);
  check_number(operands, 0, operands[0].rank() - 1);
  for (size_t i = 1; i < operands.size(); ++i) {
    check_floating(operands, i);
    check_shape(operands, i, {operands[0].last()});
  }
  return {operands[0]};
}

std::vector<Value> expand(Builder&, const Node& node, std::span<const Value> operands) {
  Value centred = operands[0] - mean(operands[0], -1, true);
  Value y = centred * rsqrt(mean(centred * centred, -1, true) + node.attrs.number("epsilon")) * as_f32(operands[1]);
  return {operands.size() > 2 ? y + as_f32(operands[2]) : y};
}

}  // namespace

const OpInfo op::layer_norm{.name = "layer_norm", .kind = Kind::composite, .infer = infer, .expand = expand};

Value layer_norm(Value x, Value weight, Value bias, double epsilon) {
  std::vector<Value> operands{x, weight};
  if (bias) operands.push_back(bias);
  return append(op::layer_norm, std::move(operands), {{"epsilon", epsilon}});
}

}  // namespace braid
