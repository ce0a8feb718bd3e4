// Tensors one after another along a dimension.
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1, SIZE_MAX);
  Type out = operands[0];
  const size_t axis = resolve_axis(attrs.integer("axis"), out.rank());
  for (size_t i = 0; i < operands.size(); ++i) {
    check_format(operands, i, out.format);
    if (operands[i].layout != Layout::row_major) fail_operand(i, operands[i], "is packed");
    if (out.format == Format::q8_act && axis + 1 == out.rank())  // its scales lie behind all of its codes
      fail_operand(i, operands[i], "has rows that cannot be joined");
    Shape wanted = operands[0].shape;
    check_rank(operands, i, wanted.size());
    const Dim part = wanted[axis] = operands[i][axis];
    check_shape(operands, i, wanted);
    if (i == 0) continue;
    Dim& sum = out.shape[axis];  // affine in one symbol: parts in other symbols cannot be added
    if (!part.is_number() && !sum.is_number() && part.symbol != sum.symbol)
      fail_operand(i, operands[i], "cannot be added to " + to_string(sum) + " at dimension " + std::to_string(axis));
    sum = Dim(part.is_number() ? sum.symbol : part.symbol, sum.scale + part.scale, sum.constant + part.constant);
  }
  return {out};
}

}  // namespace

const OpInfo op::concat{.name = "concat", .kind = Kind::move, .infer = infer};

Value concat(std::span<const Value> parts, int axis) {
  if (parts.empty()) throw ShapeError("concat: no parts");
  const auto resolved = static_cast<int64_t>(resolve_axis(axis, parts[0].type().rank()));
  return append(op::concat, {parts.begin(), parts.end()}, {{"axis", resolved}});
}

}  // namespace braid
