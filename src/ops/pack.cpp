// Weights (N, K) of a block format into a backend's layout.
#include "core/error.h"
#include "formats/formats.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  const int64_t layout = attrs.integer("layout");
  if (layout != static_cast<int64_t>(Layout::interleave16)) throw ShapeError("layout is not one to pack into");
  const Type& w = operands[0];
  check_rank(operands, 0, 2);
  if (format_ops(w.format).weight_class != WeightClass::integer) fail_operand(0, w, "is not of the integer class");
  if (w.layout != Layout::row_major) fail_operand(0, w, "is packed already");
  return {{w.shape, w.format, static_cast<Layout>(layout)}};
}

}  // namespace

const OpInfo op::pack{.name = "pack", .kind = Kind::move, .infer = infer};

Value pack(Value w, Layout layout) { return append(op::pack, {w}, {{"layout", static_cast<int64_t>(layout)}}); }

}  // namespace braid
