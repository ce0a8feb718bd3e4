// The selective scan of Mamba (arXiv:2312.00752): h' = exp(dt·A)·h + dt·B·x, y = C·h' + D·x.
// Operands: x, dt (tokens, channels), a (channels, state), b, c (tokens, state), d (channels), span_start,
// [pool (slots, channels, state), slots, context]. Attribute: stateful (0 or 1). Results: y, [new pool].
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  const bool stateful = attrs.integer("stateful") != 0;
  check_count(operands, stateful ? 10 : 7);
  for (size_t i = 0; i < 6; ++i) check_format(operands, i, Format::f32);
  check_rank(operands, 0, 2);
  check_rank(operands, 2, 2);
  const Dim tokens(Symbol::tokens), channels(check_number(operands, 0, 1)), state(check_number(operands, 2, 1));
  check_shape(operands, 0, {tokens, channels});
  check_shape(operands, 1, {tokens, channels});
  check_shape(operands, 2, {channels, state});
  check_shape(operands, 3, {tokens, state});
  check_shape(operands, 4, {tokens, state});
  check_shape(operands, 5, {channels});
  check_format(operands, 6, Format::i32);
  check_shape(operands, 6, {Dim(Symbol::sequences, 1, 1)});
  if (!stateful) return {operands[0]};
  check_format(operands, 7, Format::f32);
  check_rank(operands, 7, 3);
  check_shape(operands, 7, {operands[7][0], channels, state});
  for (size_t i = 8; i < 10; ++i) {
    check_format(operands, i, Format::i32);
    check_shape(operands, i, {Dim(Symbol::sequences)});
  }
  return {operands[0], operands[7]};
}

std::shared_ptr<const Graph> make_body(int64_t channels, int64_t state) {
  Builder build;
  auto input = [&](const char* name, Shape shape) { return build.input(name, {std::move(shape), Format::f32, {}}); };
  Value h = input("h", {channels, state});
  Value x = input("x", {channels}), dt = input("dt", {channels}), b = input("b", {state}), c = input("c", {state});
  Value a = input("a", {channels, state}), d = input("d", {channels});
  Value step = reshape(dt, {channels, 1});
  Value next = exp(step * a) * h + step * b * reshape(x, {channels, 1});
  build.output("h", next);
  build.output("y", reduce_sum(next * c, 1) + d * x);
  return std::make_shared<Graph>(build.finish());
}

std::vector<Value> expand(Builder& b, const Node& node, std::span<const Value> o) {
  ScanOperands scanned;
  scanned.span_start = o[6];
  scanned.rows = {o[0], o[1], o[3], o[4]};
  scanned.shared = {o[2], o[5]};
  const bool stateful = node.attrs.integer("stateful") != 0;
  if (stateful) {
    scanned.pools = {o[7]};
    scanned.slots = o[8];
    scanned.context = o[9];
  }
  const Type& a = o[2].type();
  ScanResults results = scan(b, scanned, make_body(a[0].number(), a[1].number()), 1);
  std::vector<Value> out{results.rows[0]};
  if (stateful) out.push_back(results.pools[0]);
  return out;
}

/// Per token and state element: exp, two products with h, two with the input, one multiply-add for y.
Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  Cost total;
  const double elements = static_cast<double>(element_count(operands[2].shape, sizes));
  total.flops = 8 * elements * static_cast<double>(sizes[Symbol::tokens]);
  for (size_t i = 0; i < 7; ++i) total.bytes += static_cast<double>(byte_size(operands[i], sizes));
  total.bytes += static_cast<double>(byte_size(node.types[0], sizes));
  if (operands.size() > 7) total.bytes += 8 * elements * static_cast<double>(sizes[Symbol::sequences]);
  return total;
}

}  // namespace

const OpInfo op::selective_scan{.name = "selective_scan",
                                .kind = Kind::composite,
                                .infer = infer,
                                .expand = expand,
                                .cost = cost,
                                .updates = [](const Node& node) {
                                  return node.attrs.integer("stateful") != 0 ? Updates{{7, 1}} : Updates{};
                                }};

Recurred selective_scan(const SelectiveScan& o, Value span_start, const Recurrent& state) {
  std::vector<Value> operands{o.x, o.dt, o.a, o.b, o.c, o.d, span_start};
  if (state.pool) operands.insert(operands.end(), {state.pool, state.slots, state.context});
  auto results = append_all(op::selective_scan, std::move(operands),
                            {{"stateful", static_cast<int64_t>(static_cast<bool>(state.pool))}});
  return {results[0], state.pool ? results[1] : Value{}};
}

}  // namespace braid
