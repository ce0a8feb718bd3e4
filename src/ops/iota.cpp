// 0 … count - 1.
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 0);
  Shape shape = decode_shape(attrs.list("count"));
  if (shape.size() != 1) throw ShapeError("count is not one dimension");
  return {{std::move(shape), Format::i32, {}}};
}

}  // namespace

const OpInfo op::iota{.name = "iota", .kind = Kind::move, .infer = infer};

Value iota(Builder& b, Dim count) { return b.add(op::iota, {}, {{"count", encode_shape({count})}}); }

}  // namespace braid
