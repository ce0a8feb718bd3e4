// The gated delta rule (arXiv:2412.06464): a matrix per head that forgets, and is corrected where it recalls a key's
// value wrongly. S = exp(g)·S; S += k ⊗ β·(v - Sᵀk); y = Sᵀq.
// Operands: q, k (tokens, key_heads, key_dim), v (tokens, heads, value_dim), g, beta (tokens, heads), span_start, [pool
// (slots, heads, key_dim, value_dim), slots, context]. Attribute: stateful (0 or 1). Results: y (tokens, heads,
// value_dim), [new pool].
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  const bool stateful = attrs.integer("stateful") != 0;
  check_count(operands, stateful ? 9 : 6);
  for (size_t i = 0; i < 5; ++i) {
    check_format(operands, i, Format::f32);
    check_rank(operands, i, i < 3 ? 3 : 2);
  }
  const Dim tokens(Symbol::tokens);
  const int64_t key_heads = check_number(operands, 0, 1), key_dim = check_number(operands, 0, 2);
  const int64_t heads = check_number(operands, 2, 1), value_dim = check_number(operands, 2, 2);
  if (key_heads < 1 || heads % key_heads != 0)
    fail_operand(0, operands[0], "has heads that do not divide " + std::to_string(heads) + " heads");
  for (size_t i = 0; i < 2; ++i) check_shape(operands, i, {tokens, Dim(key_heads), Dim(key_dim)});
  check_shape(operands, 2, {tokens, Dim(heads), Dim(value_dim)});
  for (size_t i = 3; i < 5; ++i) check_shape(operands, i, {tokens, Dim(heads)});
  check_format(operands, 5, Format::i32);
  check_shape(operands, 5, {Dim(Symbol::sequences, 1, 1)});
  if (!stateful) return {operands[2]};
  check_format(operands, 6, Format::f32);
  check_rank(operands, 6, 4);
  check_shape(operands, 6, {operands[6][0], Dim(heads), Dim(key_dim), Dim(value_dim)});
  for (size_t i = 7; i < 9; ++i) {
    check_format(operands, i, Format::i32);
    check_shape(operands, i, {Dim(Symbol::sequences)});
  }
  return {operands[2], operands[6]};
}

struct Sizes {
  int64_t key_heads, heads, key_dim, value_dim;
};

/// One token: all in (key heads, heads of one, key, value).
std::shared_ptr<const Graph> make_body(const Sizes& n) {
  Builder build;
  const int64_t groups = n.key_heads, per = n.heads / n.key_heads;
  const auto input = [&](const char* name, Shape shape, Shape seen) {
    return reshape(build.input(name, {std::move(shape), Format::f32, {}}), std::move(seen));
  };
  const Value before = input("s", {n.heads, n.key_dim, n.value_dim}, {groups, per, n.key_dim, n.value_dim});
  const Value q = input("q", {groups, n.key_dim}, {groups, 1, n.key_dim, 1});
  const Value k = input("k", {groups, n.key_dim}, {groups, 1, n.key_dim, 1});
  const Value v = input("v", {n.heads, n.value_dim}, {groups, per, 1, n.value_dim});
  const Value g = input("g", {n.heads}, {groups, per, 1, 1});
  const Value beta = input("beta", {n.heads}, {groups, per, 1, 1});
  const Value faded = exp(g) * before;
  const Value wrong = (v - reduce_sum(faded * k, 2, true)) * beta;
  const Value after = faded + k * wrong;
  build.output("s", reshape(after, {n.heads, n.key_dim, n.value_dim}));
  build.output("y", reshape(reduce_sum(after * q, 2), {n.heads, n.value_dim}));
  return std::make_shared<Graph>(build.finish());
}

std::vector<Value> expand(Builder& b, const Node& node, std::span<const Value> o) {
  ScanOperands scanned;
  scanned.span_start = o[5];
  scanned.rows = {o[0], o[1], o[2], o[3], o[4]};
  const bool stateful = node.attrs.integer("stateful") != 0;
  if (stateful) {
    scanned.pools = {o[6]};
    scanned.slots = o[7];
    scanned.context = o[8];
  }
  const Sizes n{o[0].dim(1).number(), o[2].dim(1).number(), o[0].dim(2).number(), o[2].dim(2).number()};
  ScanResults results = scan(b, scanned, make_body(n), 1);
  std::vector<Value> out{results.rows[0]};
  if (stateful) out.push_back(results.pools[0]);
  return out;
}

/// Per token and element of the matrix: fading, recalling, correcting, reading.
Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  Cost total;
  const double matrix =
      static_cast<double>(operands[2][1].number() * operands[0][2].number() * operands[2][2].number());
  total.flops = 7 * matrix * static_cast<double>(sizes[Symbol::tokens]);
  for (size_t i = 0; i < 6; ++i) total.bytes += static_cast<double>(byte_size(operands[i], sizes));
  total.bytes += static_cast<double>(byte_size(node.types[0], sizes));
  if (operands.size() > 6) total.bytes += 8 * matrix * static_cast<double>(sizes[Symbol::sequences]);
  return total;
}

}  // namespace

const OpInfo op::gated_delta{.name = "gated_delta",
                             .kind = Kind::composite,
                             .infer = infer,
                             .expand = expand,
                             .cost = cost,
                             .updates = [](const Node& node) {
                               return node.attrs.integer("stateful") != 0 ? Updates{{6, 1}} : Updates{};
                             }};

Recurred gated_delta(const GatedDelta& o, Value span_start, const Recurrent& state) {
  std::vector<Value> operands{o.q, o.k, o.v, o.g, o.beta, span_start};
  if (state.pool) operands.insert(operands.end(), {state.pool, state.slots, state.context});
  auto results = append_all(op::gated_delta, std::move(operands),
                            {{"stateful", static_cast<int64_t>(static_cast<bool>(state.pool))}});
  return {results[0], state.pool ? results[1] : Value{}};
}

}  // namespace braid
