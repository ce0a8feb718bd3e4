// The best experts of each token and their weights (arXiv:2401.04088; groups and bias: arXiv:2405.04434, 2408.15664).
// Operands: logits (tokens, experts), [bias (experts)]. Attributes as in Routing. Results: experts (tokens, chosen)
// i32, weights (tokens, chosen).
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1, 2);
  for (size_t i = 0; i < operands.size(); ++i) check_format(operands, i, Format::f32);
  check_rank(operands, 0, 2);
  const int64_t experts = check_number(operands, 0, 1);
  if (operands.size() > 1) check_shape(operands, 1, {Dim(experts)});
  const std::string& scores = attrs.text("scores");
  if (scores != "softmax" && scores != "sigmoid") throw ShapeError("no routing scores are called \"" + scores + "\"");
  attrs.integer("renormalise");
  attrs.number("scale");
  const int64_t chosen = attrs.integer("chosen"), groups = attrs.integer("groups"), kept = attrs.integer("kept_groups"),
                best = attrs.integer("group_best");
  if (groups < 1 || experts % groups != 0)
    fail_operand(0, operands[0], "cannot be cut into " + std::to_string(groups) + " groups of experts");
  const int64_t per_group = experts / groups;
  if (kept < 1 || kept > groups || best < 1 || best > per_group)
    fail_operand(0, operands[0],
                 "has no " + std::to_string(kept) + " groups judged by " + std::to_string(best) + " experts each");
  if (chosen < 1 || chosen > kept * per_group)
    fail_operand(0, operands[0], "should have at least " + std::to_string(chosen) + " experts to choose from");
  const Shape shape{operands[0][0], Dim(chosen)};
  return {{shape, Format::i32, {}}, {shape, Format::f32, {}}};
}

/// Scores (tokens, experts) where those outside each token's best groups are lower than any other.
Value best_groups_only(Builder& b, const Attrs& attrs, Value scores) {
  const int64_t groups = attrs.integer("groups"), kept = attrs.integer("kept_groups");
  const Dim tokens = scores.dim(0), experts = scores.dim(1);
  scores = reshape(scores, {tokens, groups, experts.number() / groups});
  const Value worth = reduce_sum(top_k(scores, attrs.integer("group_best")).values, -1);  // (tokens, groups)
  const Value best = reshape(top_k(worth, kept).indices, {tokens, kept, 1});
  const Value among = reduce_max(cast(equal(best, iota(b, groups)), Format::f32), 1);  // (tokens, groups): 0 or 1
  const Value inside = reshape(less(b.scalar(0), among), {tokens, groups, 1});
  return reshape(select(inside, scores, b.scalar(-3.4028234663852886e38)), {tokens, experts});
}

std::vector<Value> expand(Builder& b, const Node& node, std::span<const Value> operands) {
  const Attrs& attrs = node.attrs;
  const Value logits = operands[0];
  const Dim tokens = logits.dim(0);
  const int64_t experts = logits.dim(1).number();
  const Value scores = attrs.text("scores") == "softmax" ? softmax(logits) : sigmoid(logits);
  Value keys = operands.size() > 1 ? scores + operands[1] : scores;  // the bias decides who is chosen, not how much
  if (attrs.integer("groups") > 1) keys = best_groups_only(b, attrs, keys);
  const Value chosen = top_k(keys, attrs.integer("chosen")).indices;
  const Value row = reshape(iota(b, tokens), {tokens, 1}) * static_cast<double>(experts);
  Value weights = gather(scores, row + chosen, 2);
  if (attrs.integer("renormalise") != 0) weights = weights / (reduce_sum(weights, -1, true) + kRouteFloor);
  return {chosen, weights * attrs.number("scale")};
}

}  // namespace

const OpInfo op::route{.name = "route", .kind = Kind::composite, .infer = infer, .expand = expand};

Routed route(Value logits, Value bias, const Routing& how) {
  std::vector<Value> operands{logits};
  if (bias) operands.push_back(bias);
  auto results = append_all(op::route, std::move(operands),
                            {{"chosen", how.chosen},
                             {"renormalise", static_cast<int64_t>(how.renormalise)},
                             {"scores", std::string(how.scores == Routing::Scores::softmax ? "softmax" : "sigmoid")},
                             {"groups", how.groups},
                             {"kept_groups", how.kept_groups},
                             {"group_best", how.group_best},
                             {"scale", how.scale}});
  return {results[0], results[1]};
}

}  // namespace braid
