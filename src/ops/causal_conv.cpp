// Depthwise causal convolution along each sequence.
// Operands: x (tokens, channels), weight (channels, width), [bias (channels)], span_start, [pool (slots, channels,
// width - 1), slots, context]. Attributes: bias, stateful (0 or 1). Results: y (tokens, channels), [new pool].
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  const bool bias = attrs.integer("bias") != 0, stateful = attrs.integer("stateful") != 0;
  check_count(operands, 3 + (bias ? 1 : 0) + (stateful ? 3 : 0));
  check_format(operands, 0, Format::f32);
  check_rank(operands, 0, 2);
  check_dim(operands, 0, 0, Dim(Symbol::tokens));
  const int64_t channels = check_number(operands, 0, 1);
  check_floating(operands, 1);
  check_rank(operands, 1, 2);
  check_dim(operands, 1, 0, Dim(channels));
  const int64_t width = check_number(operands, 1, 1);
  if (width < 2) fail_operand(1, operands[1], "should be at least 2 wide");
  size_t next = 2;
  if (bias) {
    check_floating(operands, next);
    check_shape(operands, next++, {Dim(channels)});
  }
  check_format(operands, next, Format::i32);
  check_shape(operands, next++, {Dim(Symbol::sequences, 1, 1)});
  if (!stateful) return {operands[0]};
  const size_t pool = next;
  check_format(operands, pool, Format::f32);
  check_rank(operands, pool, 3);
  check_shape(operands, pool, {operands[pool][0], Dim(channels), Dim(width - 1)});
  for (++next; next < operands.size(); ++next) {
    check_format(operands, next, Format::i32);
    check_shape(operands, next, {Dim(Symbol::sequences)});
  }
  return {operands[0], operands[pool]};
}

/// carry (channels, width - 1): the inputs before, oldest first; row (channels).
std::shared_ptr<const Graph> make_body(int64_t channels, int64_t width) {
  Builder b;
  Value before = b.input("before", {{channels, width - 1}, Format::f32, {}});
  Value x = b.input("x", {{channels}, Format::f32, {}});
  Value weight = b.input("weight", {{channels, width}, Format::f32, {}});
  const Value parts[] = {before, reshape(x, {channels, 1})};
  Value window = concat(parts, 1);
  b.output("before", slice(window, 1, 1, width));
  b.output("y", reduce_sum(window * weight, 1));
  return std::make_shared<Graph>(b.finish());
}

std::vector<Value> expand(Builder& b, const Node& node, std::span<const Value> operands) {
  const bool bias = node.attrs.integer("bias") != 0, stateful = node.attrs.integer("stateful") != 0;
  const size_t next = bias ? 3 : 2;
  ScanOperands scanned;
  scanned.span_start = operands[next];
  scanned.rows = {operands[0]};
  scanned.shared = {as_f32(operands[1])};
  if (stateful) {
    scanned.pools = {operands[next + 1]};
    scanned.slots = operands[next + 2];
    scanned.context = operands[next + 3];
  }
  const Type& weight = operands[1].type();
  ScanResults results = scan(b, scanned, make_body(weight[0].number(), weight[1].number()), 1);
  std::vector<Value> out{bias ? results.rows[0] + as_f32(operands[2]) : results.rows[0]};
  if (stateful) out.push_back(results.pools[0]);
  return out;
}

Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  const double elements = static_cast<double>(element_count(node.types[0].shape, sizes));
  const double width = static_cast<double>(operands[1][1].number());
  const double carries = 2 * static_cast<double>(sizes[Symbol::sequences] * operands[1][0].number()) * (width - 1);
  return {.flops = 2 * elements * width,
          .bytes = 4 * (2 * elements + carries) + static_cast<double>(byte_size(operands[1], sizes))};
}

Updates updated_pool(const Node& node) {
  if (node.attrs.integer("stateful") == 0) return {};
  return {{node.attrs.integer("bias") != 0 ? 4u : 3u, 1u}};
}

}  // namespace

const OpInfo op::causal_conv{.name = "causal_conv",
                             .kind = Kind::composite,
                             .infer = infer,
                             .expand = expand,
                             .cost = cost,
                             .updates = updated_pool};

Recurred causal_conv(Value x, Value weight, Value bias, Value span_start, const Recurrent& state) {
  std::vector<Value> operands{x, weight};
  if (bias) operands.push_back(bias);
  operands.push_back(span_start);
  if (state.pool) operands.insert(operands.end(), {state.pool, state.slots, state.context});
  auto results = append_all(op::causal_conv, std::move(operands),
                            {{"bias", static_cast<int64_t>(static_cast<bool>(bias))},
                             {"stateful", static_cast<int64_t>(static_cast<bool>(state.pool))}});
  return {results[0], state.pool ? results[1] : Value{}};
}

}  // namespace braid
