// Products with weights: the one op that most of the time goes to.
#include <algorithm>

#include "core/error.h"
#include "formats/formats.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

void check_weight(Types operands, size_t index, const Type& x) {
  const Type& w = operands[index];
  if (!format_ops(w.format).weight_class) fail_operand(index, w, "has a format that weights cannot have");
  check_rank_at_least(operands, index, 2);
  if (w.rank() > 2) {
    check_rank(operands, index, x.rank());
    for (size_t i = 0; i + 2 < w.rank(); ++i) check_dim(operands, index, i, x[i]);
  }
  check_dim(operands, index, w.rank() - 1, x.last());
}

/// Operands: x, [offsets if grouped], weights….
std::vector<Type> infer(Types operands, const Attrs& attrs) {
  const bool grouped = attrs.integer("grouped") != 0;
  const size_t first = grouped ? 2 : 1;
  check_count(operands, first + 1, SIZE_MAX);
  if (operands[0].format != Format::q8_act) check_floating(operands, 0);
  check_rank_at_least(operands, 0, 1);
  if (grouped) {
    check_rank(operands, 0, 2);
    check_format(operands, 1, Format::i32);
    check_shape(operands, 1, {Dim(static_cast<int64_t>(operands.size() - first) + 1)});
  }
  std::vector<Type> results;
  for (size_t i = first; i < operands.size(); ++i) {
    check_weight(operands, i, operands[0]);
    if (grouped) check_shape(operands, i, {operands[first][0], operands[0][1]});
    Type y{operands[0].shape, Format::f32, {}};
    y.shape.back() = operands[i][operands[i].rank() - 2];
    if (!grouped || results.empty()) results.push_back(std::move(y));
  }
  return results;
}

/// 2 operations per multiply-add. A grouped product reads at most one weight per row.
Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  const bool grouped = node.attrs.integer("grouped") != 0;
  const double k = static_cast<double>(operands[0].last().at(sizes));
  Cost total;
  double weights = 0;
  for (size_t i = 0; i < operands.size(); ++i)
    (i < (grouped ? 2 : 1) ? total.bytes : weights) += static_cast<double>(byte_size(operands[i], sizes));
  if (grouped) {
    const double experts = static_cast<double>(operands.size() - 2);
    weights *= std::min(1.0, static_cast<double>(operands[0][0].at(sizes)) / experts);
  }
  total.bytes += weights;
  for (const Type& y : node.types) {
    total.flops += 2 * k * static_cast<double>(element_count(y.shape, sizes));
    total.bytes += static_cast<double>(byte_size(y, sizes));
  }
  return total;
}

}  // namespace

const OpInfo op::contract{.name = "contract", .kind = Kind::contract, .infer = infer, .cost = cost};

Value contract(Value x, Value w) { return append(op::contract, {x, w}, {{"grouped", 0}}); }

std::vector<Value> contract_all(Value x, std::span<const Value> weights) {
  std::vector<Value> operands{x};
  operands.insert(operands.end(), weights.begin(), weights.end());
  return append_all(op::contract, std::move(operands), {{"grouped", 0}});
}

Value contract_grouped(Value x, Value offsets, std::span<const Value> weights) {
  std::vector<Value> operands{x, offsets};
  operands.insert(operands.end(), weights.begin(), weights.end());
  return append(op::contract, std::move(operands), {{"grouped", 1}});
}

Value linear(Value x, Value w, Value bias) {
  Value y = contract(x, w);
  return bias ? y + as_f32(bias) : y;
}

}  // namespace braid
