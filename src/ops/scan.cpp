// Recurrences: a body that sees one row at a time, with carries that live in states or in the step.
// Operands: pools…, [slots, context with pools], span_start, rows…, shared…. Results: row outputs…, new pools….
// Attributes: body, carries (count), rows (count), stateful (0 or 1).
#include "ops/ops.h"
#include "ops/scan_types.h"
#include "ops/shapes.h"

namespace braid {
namespace {

/// The body's work once per token, and each carry read and written once per sequence.
Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  const Graph& body = node.attrs.graph("body");
  const auto carries = static_cast<size_t>(node.attrs.integer("carries"));
  const bool stateful = node.attrs.integer("stateful") != 0;
  Cost total;
  for (const Node& inner : body.nodes()) total.flops += cost(body, inner, sizes).flops;
  total.flops *= static_cast<double>(sizes[Symbol::tokens]);
  const size_t pools = stateful ? carries : 0;
  total.bytes = total_bytes(operands.subspan(pools), sizes);
  total.bytes += total_bytes(std::span(node.types).first(node.types.size() - pools), sizes);
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

const OpInfo op::scan{
    .name = "scan", .kind = Kind::region, .infer = infer_scan, .cost = cost, .updates = updated_pools};

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
