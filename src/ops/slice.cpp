// Elements [start, stop) of one dimension.
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  Type out = operands[0];
  const size_t axis = resolve_axis(attrs.integer("axis"), out.rank());
  const int64_t start = attrs.integer("start"), stop = attrs.integer("stop");
  const int64_t extent = check_number(operands, 0, axis);
  if (operands[0].layout != Layout::row_major) fail_operand(0, operands[0], "is packed");
  if (start < 0 || stop < start || stop > extent)
    fail_operand(
        0, operands[0],
        "has no [" + std::to_string(start) + ", " + std::to_string(stop) + ") at dimension " + std::to_string(axis));
  const auto from = static_cast<uint64_t>(start), to = static_cast<uint64_t>(stop);
  // A row of q8_act keeps its scales behind all of its codes: it cannot be cut at all.
  const bool whole = out.format != Format::q8_act && fits(out.format, from) && fits(out.format, to);
  if (axis + 1 == out.rank() && !whole) fail_operand(0, operands[0], "should be cut between blocks");
  out.shape[axis] = stop - start;
  return {out};
}

}  // namespace

const OpInfo op::slice{.name = "slice",
                       .kind = Kind::move,
                       .infer = infer,
                       .cost = [](const Node& node, Types, const SymbolValues& sizes) {
                         return Cost{.flops = 0, .bytes = 2 * static_cast<double>(byte_size(node.types[0], sizes))};
                       }};

Value slice(Value x, int axis, int64_t start, int64_t stop) {
  const auto resolved = static_cast<int64_t>(resolve_axis(axis, x.type().rank()));
  return append(op::slice, {x}, {{"axis", resolved}, {"start", start}, {"stop", stop}});
}

}  // namespace braid
