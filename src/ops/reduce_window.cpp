// Pooling: maxima or sums over windows of the last dimensions.
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  check_format(operands, 0, Format::f32);
  const auto &size = attrs.list("size"), &stride = attrs.list("stride"), &padding = attrs.list("padding");
  if (attrs.text("kind") != "max" && attrs.text("kind") != "sum") throw ShapeError("kind is neither max nor sum");
  if (size.empty() || stride.size() != size.size() || padding.size() != size.size())
    throw ShapeError("size, stride and padding differ in length");
  check_rank_at_least(operands, 0, size.size());
  Type out = operands[0];
  const size_t first = out.rank() - size.size();
  for (size_t i = 0; i < size.size(); ++i) {
    const int64_t extent = check_number(operands, 0, first + i);
    // A window that lies in the padding alone would have no maximum.
    if (size[i] < 1 || stride[i] < 1 || padding[i] < 0 || padding[i] >= size[i] || extent + 2 * padding[i] < size[i])
      fail_operand(0, operands[0], "does not fit the window at dimension " + std::to_string(first + i));
    out.shape[first + i] = (extent + 2 * padding[i] - size[i]) / stride[i] + 1;
  }
  return {out};
}

Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  double window = 1;
  for (int64_t n : node.attrs.list("size")) window *= static_cast<double>(n);
  return {.flops = window * static_cast<double>(element_count(node.types[0].shape, sizes)),
          .bytes = static_cast<double>(byte_size(operands[0], sizes) + byte_size(node.types[0], sizes))};
}

}  // namespace

const OpInfo op::reduce_window{.name = "reduce_window", .kind = Kind::reduce, .infer = infer, .cost = cost};

Value reduce_window(Value x, std::string_view kind, const Window& window) {
  return append(
      op::reduce_window, {x},
      {{"kind", std::string(kind)}, {"size", window.size}, {"stride", window.stride}, {"padding", window.padding}});
}

}  // namespace braid
