// Recurrences: a body that sees one row at a time, with carries that live in states or in the step.
// Operands: pools…, [slots, context with pools], span_start, rows…, shared…. Results: row outputs…, new pools….
// Attributes: body, carries (count), rows (count), stateful (0 or 1).
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

/// A row's shape behind a leading dimension.
Type stacked(const Dim& leading, const Type& row) {
  Type out = row;
  out.shape.insert(out.shape.begin(), leading);
  return out;
}

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  const Graph& body = attrs.graph("body");
  const auto carries = static_cast<size_t>(attrs.integer("carries")), rows = static_cast<size_t>(attrs.integer("rows"));
  const bool stateful = attrs.integer("stateful") != 0;
  const size_t inputs = body.inputs().size();
  if (carries + rows > inputs || carries > body.outputs().size())
    throw ShapeError("the body has fewer inputs or outputs than carries and rows");
  check_count(operands, inputs - (stateful ? 0 : carries) + (stateful ? 3 : 1));
  auto input = [&](size_t i) { return body.type({body.inputs()[i], 0}); };

  size_t next = 0;
  for (size_t i = 0; stateful && i < carries; ++i, ++next) {
    check_rank_at_least(operands, next, 1);
    if (operands[next] != stacked(operands[next][0], input(i)))
      fail_operand(next, operands[next], "should be a pool of " + to_string(input(i)));
  }
  for (size_t i = 0; stateful && i < 2; ++i, ++next) {  // slots, context
    check_format(operands, next, Format::i32);
    check_shape(operands, next, {Dim(Symbol::sequences)});
  }
  check_format(operands, next, Format::i32);  // span_start
  check_shape(operands, next++, {Dim(Symbol::sequences, 1, 1)});
  for (size_t i = carries; i < inputs; ++i, ++next) {
    const Type wanted = i < carries + rows ? stacked(Dim(Symbol::tokens), input(i)) : input(i);
    if (operands[next] != wanted) fail_operand(next, operands[next], "should be " + to_string(wanted));
  }
  for (size_t i = 0; i < carries; ++i)
    if (body.type(body.outputs()[i].value) != input(i))
      throw ShapeError("carry " + std::to_string(i) + " of the body changes its type");

  std::vector<Type> results;
  for (size_t i = carries; i < body.outputs().size(); ++i)
    results.push_back(stacked(Dim(Symbol::tokens), body.type(body.outputs()[i].value)));
  for (size_t i = 0; stateful && i < carries; ++i) results.push_back(operands[i]);
  return results;
}

/// The body's work once per token, and each carry read and written once per sequence.
Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  const Graph& body = node.attrs.graph("body");
  const auto carries = static_cast<size_t>(node.attrs.integer("carries"));
  const bool stateful = node.attrs.integer("stateful") != 0;
  Cost total;
  for (const Node& inner : body.nodes()) total.flops += cost(body, inner, sizes).flops;
  total.flops *= static_cast<double>(sizes[Symbol::tokens]);
  for (size_t i = stateful ? carries : 0; i < operands.size(); ++i)
    total.bytes += static_cast<double>(byte_size(operands[i], sizes));
  for (size_t i = 0; i + (stateful ? carries : 0) < node.types.size(); ++i)
    total.bytes += static_cast<double>(byte_size(node.types[i], sizes));
  for (size_t i = 0; stateful && i < carries; ++i)
    total.bytes += 2 * static_cast<double>(sizes[Symbol::sequences]) *
                   static_cast<double>(byte_size(body.type({body.inputs()[i], 0}), sizes));
  return total;
}

Updates updated_pools(const Node& node) {
  Updates list;
  if (node.attrs.integer("stateful") == 0) return list;
  const auto carries = static_cast<uint32_t>(node.attrs.integer("carries"));
  const auto first = static_cast<uint32_t>(node.types.size()) - carries;
  for (uint32_t i = 0; i < carries; ++i) list.emplace_back(i, first + i);
  return list;
}

}  // namespace

const OpInfo op::scan{.name = "scan", .kind = Kind::region, .infer = infer, .cost = cost, .updates = updated_pools};

ScanResults scan(Builder& b, const ScanOperands& o, std::shared_ptr<const Graph> body, int64_t carries) {
  const bool stateful = !o.pools.empty();
  std::vector<Value> operands = o.pools;
  if (stateful) operands.insert(operands.end(), {o.slots, o.context});
  operands.push_back(o.span_start);
  operands.insert(operands.end(), o.rows.begin(), o.rows.end());
  operands.insert(operands.end(), o.shared.begin(), o.shared.end());
  std::vector<Value> results = b.add_all(op::scan, std::move(operands),
                                         {{"body", std::move(body)},
                                          {"carries", carries},
                                          {"rows", static_cast<int64_t>(o.rows.size())},
                                          {"stateful", static_cast<int64_t>(stateful)}});
  const auto split = results.end() - static_cast<ptrdiff_t>(o.pools.size());
  return {{results.begin(), split}, {split, results.end()}};
}

}  // namespace braid
