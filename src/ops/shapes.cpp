#include "ops/shapes.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "core/error.h"
#include "ops/ops.h"

namespace braid {

std::vector<Value> append_all(const OpInfo& op, std::vector<Value> operands, Attrs attrs) {
  for (const Value& v : operands)
    if (!v) throw ShapeError(std::string(op.name) + ": an operand is absent");
  Builder* builder = operands.at(0).builder;
  return builder->add_all(op, std::move(operands), std::move(attrs));
}

Value append(const OpInfo& op, std::vector<Value> operands, Attrs attrs) {
  return append_all(op, std::move(operands), std::move(attrs)).front();
}

void fail_operand(size_t index, const Type& type, const std::string& what) {
  throw ShapeError("operand " + std::to_string(index) + ", " + to_string(type) + ", " + what);
}

void check_count(Types operands, size_t count) { check_count(operands, count, count); }

void check_count(Types operands, size_t least, size_t most) {
  if (operands.size() >= least && operands.size() <= most) return;
  throw ShapeError("takes " + std::to_string(least) + (most == least ? "" : " to " + std::to_string(most)) +
                   " operands, not " + std::to_string(operands.size()));
}

void check_format(Types operands, size_t index, Format wanted) {
  if (operands[index].format != wanted)
    fail_operand(index, operands[index], "should be " + std::string(info(wanted).name));
}

void check_floating(Types operands, size_t index) {
  const Format f = operands[index].format;
  if (f != Format::f32 && f != Format::bf16 && f != Format::f16)
    fail_operand(index, operands[index], "should be f32, bf16 or f16");
}

void check_rank(Types operands, size_t index, size_t rank) {
  if (operands[index].rank() != rank)
    fail_operand(index, operands[index], "should have " + std::to_string(rank) + " dimensions");
}

void check_rank_at_least(Types operands, size_t index, size_t rank) {
  if (operands[index].rank() < rank)
    fail_operand(index, operands[index], "should have at least " + std::to_string(rank) + " dimensions");
}

void check_dim(Types operands, size_t index, size_t axis, const Dim& wanted) {
  check_rank_at_least(operands, index, axis + 1);
  if (operands[index][axis] != wanted)
    fail_operand(index, operands[index], "should have " + to_string(wanted) + " at dimension " + std::to_string(axis));
}

void check_shape(Types operands, size_t index, const Shape& wanted) {
  check_rank(operands, index, wanted.size());
  for (size_t axis = 0; axis < wanted.size(); ++axis) check_dim(operands, index, axis, wanted[axis]);
}

int64_t check_number(Types operands, size_t index, size_t axis) {
  check_rank_at_least(operands, index, axis + 1);
  const Dim& dim = operands[index][axis];
  if (!dim.is_number())
    fail_operand(index, operands[index], "should have a number at dimension " + std::to_string(axis));
  return dim.number();
}

double total_bytes(Types types, const SymbolValues& sizes) {
  double bytes = 0;
  for (const Type& type : types) bytes += static_cast<double>(byte_size(type, sizes));
  return bytes;
}

Shape broadcast_shapes(Types operands) {
  Shape out;
  for (const Type& type : operands)
    if (type.rank() > out.size()) out.resize(type.rank(), Dim(1));
  std::fill(out.begin(), out.end(), Dim(1));
  for (size_t index = 0; index < operands.size(); ++index) {
    const Shape& shape = operands[index].shape;
    for (size_t i = 0; i < shape.size(); ++i) {
      Dim& to = out[out.size() - shape.size() + i];
      if (shape[i] == Dim(1) || shape[i] == to) continue;
      if (to != Dim(1))
        fail_operand(index, operands[index],
                     "does not broadcast with " + to_string(to) + " at dimension " + std::to_string(i));
      to = shape[i];
    }
  }
  return out;
}

size_t resolve_axis(int64_t axis, size_t rank) {
  const int64_t resolved = axis < 0 ? axis + static_cast<int64_t>(rank) : axis;
  if (resolved < 0 || resolved >= static_cast<int64_t>(rank))
    throw ShapeError("no dimension " + std::to_string(axis) + " among " + std::to_string(rank));
  return static_cast<size_t>(resolved);
}

namespace {

/// A product of affine dimensions in its one normal form: polynomials over the integers factor uniquely, and a
/// primitive linear polynomial is prime. So two products agree for all sizes exactly when their numbers and their
/// sorted primitive factors do.
struct Product {
  int64_t number = 1;
  std::vector<std::tuple<Symbol, int64_t, int64_t>> factors;  // symbol, scale, constant

  explicit Product(const Shape& shape) {
    for (const Dim& dim : shape) {
      const int64_t content = std::gcd(dim.constant, dim.scale);
      number *= content;
      if (dim.is_number()) continue;
      factors.emplace_back(dim.symbol, dim.scale / content, dim.constant / content);
    }
    std::sort(factors.begin(), factors.end());
    if (number == 0) factors.clear();
  }
  bool operator==(const Product&) const = default;
};

}  // namespace

bool same_elements(const Shape& a, const Shape& b) { return Product(a) == Product(b); }

std::vector<int64_t> encode_shape(const Shape& shape) {
  std::vector<int64_t> list;
  for (const Dim& dim : shape) {
    list.push_back(dim.constant);
    list.push_back(dim.scale);
    list.push_back(static_cast<int64_t>(dim.symbol));
  }
  return list;
}

Shape decode_shape(std::span<const int64_t> list) {
  if (list.size() % 3 != 0) throw ShapeError("a shape attribute is not made of triples");
  Shape shape;
  for (size_t i = 0; i < list.size(); i += 3) {
    if (list[i + 2] < 0 || list[i + 2] >= kSymbols) throw ShapeError("a shape attribute names no symbol");
    shape.emplace_back(Dim(static_cast<Symbol>(list[i + 2]), list[i + 1], list[i]));
  }
  return shape;
}

Value as_f32(Value x) { return x.type().format == Format::f32 ? x : cast(x, Format::f32); }

Value scalar_i32(Builder& b, int32_t value) { return b.constant(Tensor::of({}, std::span<const int32_t>(&value, 1))); }

}  // namespace braid
