// The k greatest of the last dimension, greatest first; equal values: the lower index first.
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  check_format(operands, 0, Format::f32);
  check_rank_at_least(operands, 0, 1);
  const int64_t k = attrs.integer("k");
  const int64_t n = check_number(operands, 0, operands[0].rank() - 1);
  if (k < 1 || k > n)
    fail_operand(0, operands[0], "should have at least " + std::to_string(k) + " in its last dimension");
  Shape shape(operands[0].shape.begin(), operands[0].shape.end() - 1);
  shape.emplace_back(k);
  return {{shape, Format::f32, {}}, {shape, Format::i32, {}}};
}

Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  return {.flops = static_cast<double>(element_count(operands[0].shape, sizes)),
          .bytes = static_cast<double>(byte_size(operands[0], sizes) + 2 * byte_size(node.types[0], sizes))};
}

}  // namespace

const OpInfo op::top_k{.name = "top_k", .kind = Kind::reduce, .infer = infer, .cost = cost};

TopK top_k(Value x, int64_t k) {
  auto results = append_all(op::top_k, {x}, {{"k", k}});
  return {results[0], results[1]};
}

}  // namespace braid
