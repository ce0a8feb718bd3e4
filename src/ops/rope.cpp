// Rotary positions (arXiv:2104.09864), pairs (i, i + rotary_dim / 2), or (2i, 2i + 1) when interleaved; what lies
// beyond rotary_dim stays as it is.
// Operands: x (tokens, heads, head_dim), positions (tokens), inverse frequencies (rotary_dim / 2).
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  attrs.number("scale");
  check_count(operands, 3);
  check_format(operands, 0, Format::f32);
  check_rank(operands, 0, 3);
  check_format(operands, 1, Format::i32);
  check_shape(operands, 1, {operands[0][0]});
  check_format(operands, 2, Format::f32);
  const int64_t rotary = attrs.integer("rotary_dim");
  if (rotary < 2 || rotary % 2 != 0 || rotary > check_number(operands, 0, 2))
    fail_operand(0, operands[0], "cannot be rotated by a rotary_dim of " + std::to_string(rotary));
  check_shape(operands, 2, {Dim(rotary / 2)});
  return {operands[0]};
}

std::vector<Value> expand(Builder&, const Node& node, std::span<const Value> operands) {
  Value x = operands[0];
  const int64_t rotary = node.attrs.integer("rotary_dim"), head_dim = x.dim(2).number();
  const double scale = node.attrs.number("scale");
  Value angle = cast(reshape(operands[1], {x.dim(0), 1, 1}), Format::f32) * operands[2];  // (tokens, 1, rotary / 2)
  Value c = cos(angle) * scale, s = sin(angle) * scale;
  std::vector<Value> parts;
  if (node.attrs.integer_or("interleaved", 0) != 0) {
    const Shape pairs{x.dim(0), x.dim(1), rotary / 2, 2}, one{x.dim(0), x.dim(1), rotary / 2, 1};
    Value x2 = reshape(slice(x, 2, 0, rotary), pairs);
    Value first = reshape(slice(x2, 3, 0, 1), {x.dim(0), x.dim(1), rotary / 2});
    Value second = reshape(slice(x2, 3, 1, 2), {x.dim(0), x.dim(1), rotary / 2});
    const std::vector<Value> turned{reshape(first * c - second * s, one), reshape(second * c + first * s, one)};
    parts = {reshape(concat(turned, 3), {x.dim(0), x.dim(1), rotary})};
  } else {
    Value first = slice(x, 2, 0, rotary / 2), second = slice(x, 2, rotary / 2, rotary);
    parts = {first * c - second * s, second * c + first * s};
  }
  if (rotary < head_dim) parts.push_back(slice(x, 2, rotary, head_dim));
  return {concat(parts, 2)};
}

}  // namespace

const OpInfo op::rope{.name = "rope", .kind = Kind::composite, .infer = infer, .expand = expand};

Value rope(Value x, Value positions, Value inverse_frequencies, const Rope& how) {
  const int64_t rotary = how.rotary_dim != 0 ? how.rotary_dim : x.dim(2).number();
  Attrs attrs{{"rotary_dim", rotary}, {"scale", how.scale}};
  if (how.interleaved) attrs.set("interleaved", int64_t{1});
  return append(op::rope, {x, positions, inverse_frequencies}, std::move(attrs));
}

}  // namespace braid
