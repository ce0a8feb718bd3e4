// span_start (sequences + 1) → the sequence of each token. Attribute: count, the dimension of the result.
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  check_format(operands, 0, Format::i32);
  check_shape(operands, 0, {Dim(Symbol::sequences, 1, 1)});
  const Shape count = decode_shape(attrs.list("count"));
  if (count.size() != 1) throw ShapeError("count is not one dimension");
  return {{count, Format::i32, {}}};
}

}  // namespace

const OpInfo op::segment_of{.name = "segment_of", .kind = Kind::move, .infer = infer};

Value segment_of(Value span_start, Dim count) {
  return append(op::segment_of, {span_start}, {{"count", encode_shape({count})}});
}

}  // namespace braid
