#pragma once
// What the ops' infer functions share: checks that name operand and dimension, broadcasting, shapes as attributes.

#include <span>
#include <string>
#include <vector>

#include "ir/builder.h"

namespace braid {

/// Appends a node to the graph of its first operand. Throws ShapeError when an operand is absent.
std::vector<Value> append_all(const OpInfo& op, std::vector<Value> operands, Attrs attrs = {});
Value append(const OpInfo& op, std::vector<Value> operands, Attrs attrs = {});

using Types = std::span<const Type>;

/// These throw ShapeError ("operand 1 (weight) …").
void check_count(Types operands, size_t count);
void check_count(Types operands, size_t least, size_t most);
void check_format(Types operands, size_t index, Format wanted);
/// f32, bf16 or f16: what expansions cast to f32.
void check_floating(Types operands, size_t index);
void check_rank(Types operands, size_t index, size_t rank);
void check_rank_at_least(Types operands, size_t index, size_t rank);
void check_dim(Types operands, size_t index, size_t axis, const Dim& wanted);
void check_shape(Types operands, size_t index, const Shape& wanted);
/// Result: the operand's dimension as a number.
int64_t check_number(Types operands, size_t index, size_t axis);
[[noreturn]] void fail_operand(size_t index, const Type& type, const std::string& what);

/// What tensors of these types take together.
double total_bytes(Types types, const SymbolValues& sizes);

/// As in numpy: aligned at the last dimension; equal, or the number 1, or absent.
Shape broadcast_shapes(Types operands);
/// Axis of `rank` dimensions, negative from the end. Throws ShapeError when there is no such dimension.
size_t resolve_axis(int64_t axis, size_t rank);
/// Whether two shapes have as many elements whatever the symbols are.
bool same_elements(const Shape& a, const Shape& b);

/// A shape as an attribute: constant, scale and symbol of each dimension.
std::vector<int64_t> encode_shape(const Shape& shape);
Shape decode_shape(std::span<const int64_t> list);

/// What expansions use: x itself when it is f32, else cast.
Value as_f32(Value x);
/// An i32 scalar.
Value scalar_i32(Builder& b, int32_t value);

}  // namespace braid
