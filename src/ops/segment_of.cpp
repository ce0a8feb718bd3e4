// span_start (sequences + 1) → the sequence of each token.
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs&) {
  check_count(operands, 1);
  check_format(operands, 0, Format::i32);
  check_shape(operands, 0, {Dim(Symbol::sequences, 1, 1)});
  return {{{Dim(Symbol::tokens)}, Format::i32, {}}};
}

}  // namespace

const OpInfo op::segment_of{.name = "segment_of", .kind = Kind::move, .infer = infer};

Value segment_of(Value span_start) { return append(op::segment_of, {span_start}); }

}  // namespace braid
