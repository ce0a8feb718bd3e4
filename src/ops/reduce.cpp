// Sums and maxima over one dimension.
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  check_format(operands, 0, Format::f32);
  Type out = operands[0];
  const size_t axis = resolve_axis(attrs.integer("axis"), out.rank());
  if (attrs.integer("keep") != 0)
    out.shape[axis] = Dim(1);
  else
    out.shape.erase(out.shape.begin() + static_cast<ptrdiff_t>(axis));
  return {out};
}

Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  return {.flops = static_cast<double>(element_count(operands[0].shape, sizes)),
          .bytes = static_cast<double>(byte_size(operands[0], sizes) + byte_size(node.types[0], sizes))};
}

Value reduce(const OpInfo& op, Value x, int axis, bool keep) {
  const auto resolved = static_cast<int64_t>(resolve_axis(axis, x.type().rank()));  // equal nodes print alike
  return append(op, {x}, {{"axis", resolved}, {"keep", static_cast<int64_t>(keep)}});
}

}  // namespace

const OpInfo op::reduce_sum{.name = "reduce_sum", .kind = Kind::reduce, .infer = infer, .cost = cost};
const OpInfo op::reduce_max{.name = "reduce_max", .kind = Kind::reduce, .infer = infer, .cost = cost};

Value reduce_sum(Value x, int axis, bool keep) { return reduce(op::reduce_sum, x, axis, keep); }
Value reduce_max(Value x, int axis, bool keep) { return reduce(op::reduce_max, x, axis, keep); }
Value mean(Value x, int axis, bool keep) {
  const double count = static_cast<double>(x.dim(axis).number());
  return reduce_sum(x, axis, keep) * (1.0 / count);
}

}  // namespace braid
