// Writes rows into a state. Operands: state, values, indices.
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 3);
  check_format(operands, 2, Format::i32);
  const Type& state = operands[0];
  const int64_t leading = attrs.integer("leading");
  if (leading < 1 || leading > static_cast<int64_t>(state.rank()))
    throw ShapeError("leading " + std::to_string(leading) + " is not among the dimensions of " + to_string(state));
  if (is_quantized(state.format)) fail_operand(0, state, "should not be quantised");
  if (is_quantized(operands[1].format)) fail_operand(1, operands[1], "should not be quantised");
  Shape wanted = operands[2].shape;
  wanted.insert(wanted.end(), state.shape.begin() + leading, state.shape.end());
  check_shape(operands, 1, wanted);
  return {state};
}

/// Writes the rows that it is given, not the state.
Cost cost(const Node&, Types operands, const SymbolValues& sizes) {
  const double elements = static_cast<double>(element_count(operands[1].shape, sizes));
  return {.flops = 0,
          .bytes = elements * info(operands[0].format).block_bytes +
                   static_cast<double>(byte_size(operands[1], sizes) + byte_size(operands[2], sizes))};
}

}  // namespace

const OpInfo op::scatter{
    .name = "scatter", .kind = Kind::move, .infer = infer, .cost = cost, .updates = [](const Node&) {
      return Updates{{0, 0}};
    }};

Value scatter(Value state, Value values, Value indices, int leading) {
  return append(op::scatter, {state, values, indices}, {{"leading", leading}});
}

}  // namespace braid
