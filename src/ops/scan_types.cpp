#include "ops/scan_types.h"

#include "core/error.h"
#include "ops/ops.h"

namespace braid {
namespace {

/// A row's shape behind a leading dimension.
Type stacked(const Dim& leading, const Type& row) {
  Type out = row;
  out.shape.insert(out.shape.begin(), leading);
  return out;
}

}  // namespace

std::vector<Type> infer_scan(Types operands, const Attrs& attrs) {
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

}  // namespace braid
