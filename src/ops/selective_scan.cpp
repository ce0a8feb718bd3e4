// The selective scan of Mamba (arXiv:2312.00752) and, with heads, of Mamba-2 (arXiv:2405.21060):
// h' = exp(dt·A)·h + dt·B·x, y = C·h' + D·x.
// Operands: x (tokens, channels), dt (tokens, heads), a (heads, state or 1), b, c (tokens, groups · state), d (heads),
// span_start, [pool (slots, channels, state), slots, context]. Attributes: groups, stateful (0 or 1). Results: y, [new
// pool].
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  const bool stateful = attrs.integer("stateful") != 0;
  check_count(operands, stateful ? 10 : 7);
  for (size_t i = 0; i < 6; ++i) {
    check_format(operands, i, Format::f32);
    if (i < 5) check_rank(operands, i, 2);
  }
  const int64_t channels = check_number(operands, 0, 1), heads = check_number(operands, 1, 1);
  const int64_t groups = attrs.integer("groups"), wide = check_number(operands, 3, 1);
  if (heads < 1 || channels % heads != 0)
    fail_operand(1, operands[1], "has heads that do not divide " + std::to_string(channels) + " channels");
  if (groups < 1 || heads % groups != 0 || wide % groups != 0)
    fail_operand(3, operands[3], "cannot be cut into " + std::to_string(groups) + " groups of heads");
  const Dim tokens(Symbol::tokens), state(wide / groups);
  check_shape(operands, 0, {tokens, Dim(channels)});
  check_shape(operands, 1, {tokens, Dim(heads)});
  check_shape(operands, 2, {Dim(heads), check_number(operands, 2, 1) == 1 ? Dim(1) : state});
  check_shape(operands, 3, {tokens, Dim(wide)});
  check_shape(operands, 4, {tokens, Dim(wide)});
  check_shape(operands, 5, {Dim(heads)});
  check_format(operands, 6, Format::i32);
  check_shape(operands, 6, {Dim(Symbol::sequences, 1, 1)});
  if (!stateful) return {operands[0]};
  check_format(operands, 7, Format::f32);
  check_rank(operands, 7, 3);
  check_shape(operands, 7, {operands[7][0], Dim(channels), state});
  for (size_t i = 8; i < 10; ++i) {
    check_format(operands, i, Format::i32);
    check_shape(operands, i, {Dim(Symbol::sequences)});
  }
  return {operands[0], operands[7]};
}

struct Sizes {
  int64_t channels, heads, groups, state;
};

/// One token: all in (groups, heads of a group, channels of a head, state).
std::shared_ptr<const Graph> make_body(const Sizes& n, int64_t decays) {
  Builder build;
  auto input = [&](const char* name, Shape shape) { return build.input(name, {std::move(shape), Format::f32, {}}); };
  const int64_t per = n.heads / n.groups, width = n.channels / n.heads;
  const Value h = input("h", {n.channels, n.state});
  const Value x = reshape(input("x", {n.channels}), {n.groups, per, width, 1});
  const Value dt = reshape(input("dt", {n.heads}), {n.groups, per, 1, 1});
  const Value b = reshape(input("b", {n.groups * n.state}), {n.groups, 1, 1, n.state});
  const Value c = reshape(input("c", {n.groups * n.state}), {n.groups, 1, 1, n.state});
  const Value a = reshape(input("a", {n.heads, decays}), {n.groups, per, 1, decays});
  const Value d = reshape(input("d", {n.heads}), {n.groups, per, 1});
  const Value next = exp(dt * a) * reshape(h, {n.groups, per, width, n.state}) + dt * b * x;
  build.output("h", reshape(next, {n.channels, n.state}));
  build.output("y", reshape(reduce_sum(next * c, 3) + d * reshape(x, {n.groups, per, width}), {n.channels}));
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
  const int64_t groups = node.attrs.integer("groups");
  const Sizes n{o[0].dim(1).number(), o[1].dim(1).number(), groups, o[3].dim(1).number() / groups};
  ScanResults results = scan(b, scanned, make_body(n, o[2].dim(1).number()), 1);
  std::vector<Value> out{results.rows[0]};
  if (stateful) out.push_back(results.pools[0]);
  return out;
}

/// Per token and state element: exp, two products with h, two with the input, one multiply-add for y.
Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  Cost total;
  const double state = static_cast<double>((operands[3][1]).number() / node.attrs.integer("groups"));
  const double elements = static_cast<double>(operands[0][1].number()) * state;
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
                            {{"groups", o.groups}, {"stateful", static_cast<int64_t>(static_cast<bool>(state.pool))}});
  return {results[0], state.pool ? results[1] : Value{}};
}

}  // namespace braid
