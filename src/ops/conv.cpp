// Convolution over one or two spatial dimensions, in groups of channels.
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

/// x (B, C, spatial…), w (O, C / groups, kernel…).
std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 2);
  check_format(operands, 0, Format::f32);
  check_floating(operands, 1);
  const auto &stride = attrs.list("stride"), &padding = attrs.list("padding");
  const int64_t groups = attrs.integer("groups");
  const size_t spatial = stride.size();
  if (spatial < 1 || spatial > 2 || padding.size() != spatial)
    throw ShapeError("stride and padding are not one per spatial dimension (1 or 2)");
  check_rank(operands, 0, spatial + 2);
  check_rank(operands, 1, spatial + 2);
  const int64_t channels = check_number(operands, 0, 1), out = check_number(operands, 1, 0);
  if (groups < 1 || channels % groups != 0 || out % groups != 0)
    throw ShapeError(std::to_string(groups) + " groups do not divide the channels");
  check_dim(operands, 1, 1, Dim(channels / groups));
  Type y{{operands[0][0], Dim(out)}, Format::f32, {}};
  for (size_t i = 0; i < spatial; ++i) {
    const int64_t kernel = check_number(operands, 1, 2 + i), extent = check_number(operands, 0, 2 + i);
    if (kernel < 1 || stride[i] < 1 || padding[i] < 0 || extent + 2 * padding[i] < kernel)
      fail_operand(1, operands[1], "does not fit at dimension " + std::to_string(2 + i));
    y.shape.emplace_back((extent + 2 * padding[i] - kernel) / stride[i] + 1);
  }
  return {y};
}

Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  double taps = 1;
  for (size_t i = 1; i < operands[1].rank(); ++i) taps *= static_cast<double>(operands[1][i].at(sizes));
  Cost total{.flops = 2 * taps * static_cast<double>(element_count(node.types[0].shape, sizes))};
  for (const Type* type : {&operands[0], &operands[1], &node.types[0]})
    total.bytes += static_cast<double>(byte_size(*type, sizes));
  return total;
}

}  // namespace

const OpInfo op::conv{.name = "conv", .kind = Kind::contract, .infer = infer, .cost = cost};

Value conv(Value x, Value w, const Conv& how) {
  return append(op::conv, {x, w}, {{"stride", how.stride}, {"padding", how.padding}, {"groups", how.groups}});
}

Value add_channels(Value x, Value bias) {
  Shape shape{bias.dim(0)};
  for (size_t i = 2; i < x.type().rank(); ++i) shape.emplace_back(1);
  return x + reshape(as_f32(bias), std::move(shape));
}

}  // namespace braid
