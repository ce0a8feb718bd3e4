// Products with weights: the one op that most of the time goes to.
#include <algorithm>

#include "formats/formats.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

void check_weight(Types operands, size_t index, const Type& x) {
  const Type& w = operands[index];
  if (!format_ops(w.format).weight_class) fail_operand(index, w, "has a format that weights cannot have");
  check_rank_at_least(operands, index, 2);
  if (w.rank() > 2) check_rank(operands, index, x.rank());
  for (size_t i = 0; i + 2 < w.rank(); ++i) check_dim(operands, index, i, x[i]);
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
  const size_t first = node.attrs.integer("grouped") != 0 ? 2 : 1;
  const double k = static_cast<double>(operands[0].last().at(sizes)),
               rows = static_cast<double>(operands[0][0].at(sizes));
  double weights = total_bytes(operands.subspan(first), sizes);
  if (first == 2) weights *= std::min(1.0, rows / static_cast<double>(operands.size() - first));
  Cost total{.bytes = total_bytes(operands.first(first), sizes) + weights + total_bytes(node.types, sizes)};
  for (const Type& y : node.types) total.flops += 2 * k * static_cast<double>(element_count(y.shape, sizes));
  return total;
}

}  // namespace

const OpInfo op::contract{.name = "contract", .kind = Kind::contract, .infer = infer, .cost = cost};

}  // namespace braid
