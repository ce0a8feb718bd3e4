// The same elements in row-major order under another shape.
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  Type out{decode_shape(attrs.list("shape")), operands[0].format, {}};
  if (operands[0].layout != Layout::row_major) fail_operand(0, operands[0], "is packed");
  if (is_quantized(out.format) && out.last() != operands[0].last())
    fail_operand(0, operands[0], "is quantised: its last dimension should stay");
  if (!same_elements(operands[0].shape, out.shape))
    fail_operand(0, operands[0], "has not as many elements as " + to_string(out));
  return {out};
}

}  // namespace

const OpInfo op::reshape{.name = "reshape", .kind = Kind::move, .infer = infer};

Value reshape(Value x, Shape shape) { return append(op::reshape, {x}, {{"shape", encode_shape(shape)}}); }

}  // namespace braid
