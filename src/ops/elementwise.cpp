// The elementwise core ops: a line each.
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> unary(Types operands, const Attrs&) {
  check_count(operands, 1);
  check_format(operands, 0, Format::f32);
  return {operands[0]};
}

std::vector<Type> binary(Types operands, const Attrs&) {
  check_count(operands, 2);
  if (operands[0].format != Format::i32) check_format(operands, 0, Format::f32);
  check_format(operands, 1, operands[0].format);
  return {{broadcast_shapes(operands), operands[0].format, {}}};
}

std::vector<Type> comparison(Types operands, const Attrs& attrs) {
  return {{binary(operands, attrs)[0].shape, Format::boolean, {}}};
}

std::vector<Type> infer_select(Types operands, const Attrs&) {
  check_count(operands, 3);
  check_format(operands, 0, Format::boolean);
  if (is_quantized(operands[1].format)) fail_operand(1, operands[1], "should not be quantised");
  check_format(operands, 2, operands[1].format);
  return {{broadcast_shapes(operands), operands[1].format, {}}};
}

std::vector<Type> infer_cast(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  const Format to = attrs.format("to");
  if (is_quantized(operands[0].format)) fail_operand(0, operands[0], "should not be quantised");
  if (is_quantized(to)) throw ShapeError("cast to " + std::string(info(to).name) + " is the work of quantize");
  return {{operands[0].shape, to, {}}};
}

}  // namespace

const OpInfo op::add{.name = "add", .kind = Kind::elementwise, .infer = binary};
const OpInfo op::sub{.name = "sub", .kind = Kind::elementwise, .infer = binary};
const OpInfo op::mul{.name = "mul", .kind = Kind::elementwise, .infer = binary};
const OpInfo op::div{.name = "div", .kind = Kind::elementwise, .infer = binary};
const OpInfo op::maximum{.name = "maximum", .kind = Kind::elementwise, .infer = binary};
const OpInfo op::minimum{.name = "minimum", .kind = Kind::elementwise, .infer = binary};
const OpInfo op::neg{.name = "neg", .kind = Kind::elementwise, .infer = unary};
const OpInfo op::exp{.name = "exp", .kind = Kind::elementwise, .infer = unary};
const OpInfo op::log{.name = "log", .kind = Kind::elementwise, .infer = unary};
const OpInfo op::sqrt{.name = "sqrt", .kind = Kind::elementwise, .infer = unary};
const OpInfo op::rsqrt{.name = "rsqrt", .kind = Kind::elementwise, .infer = unary};
const OpInfo op::tanh{.name = "tanh", .kind = Kind::elementwise, .infer = unary};
const OpInfo op::erf{.name = "erf", .kind = Kind::elementwise, .infer = unary};
const OpInfo op::sin{.name = "sin", .kind = Kind::elementwise, .infer = unary};
const OpInfo op::cos{.name = "cos", .kind = Kind::elementwise, .infer = unary};
const OpInfo op::less{.name = "less", .kind = Kind::elementwise, .infer = comparison};
const OpInfo op::equal{.name = "equal", .kind = Kind::elementwise, .infer = comparison};
const OpInfo op::select{.name = "select", .kind = Kind::elementwise, .infer = infer_select};
const OpInfo op::cast{.name = "cast", .kind = Kind::elementwise, .infer = infer_cast};

Value add(Value a, Value b) { return append(op::add, {a, b}); }
Value sub(Value a, Value b) { return append(op::sub, {a, b}); }
Value mul(Value a, Value b) { return append(op::mul, {a, b}); }
Value div(Value a, Value b) { return append(op::div, {a, b}); }
Value maximum(Value a, Value b) { return append(op::maximum, {a, b}); }
Value minimum(Value a, Value b) { return append(op::minimum, {a, b}); }
Value neg(Value x) { return append(op::neg, {x}); }
Value exp(Value x) { return append(op::exp, {x}); }
Value log(Value x) { return append(op::log, {x}); }
Value sqrt(Value x) { return append(op::sqrt, {x}); }
Value rsqrt(Value x) { return append(op::rsqrt, {x}); }
Value tanh(Value x) { return append(op::tanh, {x}); }
Value erf(Value x) { return append(op::erf, {x}); }
Value sin(Value x) { return append(op::sin, {x}); }
Value cos(Value x) { return append(op::cos, {x}); }
Value less(Value a, Value b) { return append(op::less, {a, b}); }
Value equal(Value a, Value b) { return append(op::equal, {a, b}); }
Value select(Value condition, Value yes, Value no) { return append(op::select, {condition, yes, no}); }
Value cast(Value x, Format to) { return append(op::cast, {x}, {{"to", to}}); }

namespace {

Value scalar_like(Value a, double b) {
  return a.type().format == Format::i32 ? scalar_i32(*a.builder, static_cast<int32_t>(b)) : a.builder->scalar(b);
}

}  // namespace

Value operator*(Value a, double b) { return mul(a, scalar_like(a, b)); }
Value operator+(Value a, double b) { return add(a, scalar_like(a, b)); }

}  // namespace braid
