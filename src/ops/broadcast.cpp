// Repeats dimensions of 1 and missing leading dimensions up to a shape.
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  Type out{decode_shape(attrs.list("shape")), operands[0].format, {}};
  if (is_quantized(out.format)) fail_operand(0, operands[0], "should not be quantised");
  const Type both[] = {out, operands[0]};
  if (operands[0].rank() > out.rank() || broadcast_shapes(both) != out.shape)
    fail_operand(0, operands[0], "does not broadcast to " + to_string(out));
  return {out};
}

}  // namespace

const OpInfo op::broadcast{.name = "broadcast", .kind = Kind::move, .infer = infer};

Value broadcast(Value x, Shape shape) { return append(op::broadcast, {x}, {{"shape", encode_shape(shape)}}); }

}  // namespace braid
