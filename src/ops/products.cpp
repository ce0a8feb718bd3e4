// The functions on Values that append products.
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {

Value contract(Value x, Value w) { return append(op::contract, {x, w}, {{"grouped", 0}}); }

std::vector<Value> contract_all(Value x, std::span<const Value> weights) {
  std::vector<Value> operands{x};
  operands.insert(operands.end(), weights.begin(), weights.end());
  return append_all(op::contract, std::move(operands), {{"grouped", 0}});
}

Value contract_grouped(Value x, Value offsets, std::span<const Value> weights) {
  std::vector<Value> operands{x, offsets};
  operands.insert(operands.end(), weights.begin(), weights.end());
  return append(op::contract, std::move(operands), {{"grouped", 1}});
}

Value linear(Value x, Value w, Value bias) {
  Value y = contract(x, w);
  return bias ? y + as_f32(bias) : y;
}

}  // namespace braid
