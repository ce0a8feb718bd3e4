// exp(x) / sum of exp(x) over the last dimension.
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs&) {
  check_count(operands, 1);
  check_format(operands, 0, Format::f32);
  check_rank_at_least(operands, 0, 1);
  return {operands[0]};
}

std::vector<Value> expand(Builder&, const Node&, std::span<const Value> operands) {
  Value x = operands[0];
  Value e = exp(x - reduce_max(x, -1, true));
  return {e / reduce_sum(e, -1, true)};
}

}  // namespace

const OpInfo op::softmax{.name = "softmax", .kind = Kind::composite, .infer = infer, .expand = expand};

Value softmax(Value x) { return append(op::softmax, {x}); }

}  // namespace braid
