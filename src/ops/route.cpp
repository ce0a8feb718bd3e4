// The k best experts of each token and their weights (arXiv:2401.04088). Operand: logits (tokens, experts).
// Results: experts (tokens, k) i32, weights (tokens, k).
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  attrs.integer("renormalise");
  check_count(operands, 1);
  check_format(operands, 0, Format::f32);
  check_rank(operands, 0, 2);
  const int64_t k = attrs.integer("k");
  if (k < 1 || k > check_number(operands, 0, 1))
    fail_operand(0, operands[0], "should have at least " + std::to_string(k) + " experts");
  const Shape shape{operands[0][0], Dim(k)};
  return {{shape, Format::i32, {}}, {shape, Format::f32, {}}};
}

std::vector<Value> expand(Builder&, const Node& node, std::span<const Value> operands) {
  TopK best = top_k(softmax(operands[0]), node.attrs.integer("k"));
  if (node.attrs.integer("renormalise") == 0) return {best.indices, best.values};
  return {best.indices, best.values / reduce_sum(best.values, -1, true)};
}

}  // namespace

const OpInfo op::route{.name = "route", .kind = Kind::composite, .infer = infer, .expand = expand};

Routed route(Value logits, int64_t k, bool renormalise) {
  auto results = append_all(op::route, {logits}, {{"k", k}, {"renormalise", static_cast<int64_t>(renormalise)}});
  return {results[0], results[1]};
}

}  // namespace braid
