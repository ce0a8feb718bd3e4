// To a block format, a row at a time along the last dimension.
#include "core/error.h"
#include "formats/formats.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  check_floating(operands, 0);
  check_rank_at_least(operands, 0, 1);
  const Format to = attrs.format("to");
  if (!is_quantized(to)) throw ShapeError(std::string(info(to).name) + " is not a block format");
  if (format_ops(to).encode == nullptr) throw ShapeError(std::string(info(to).name) + " is only read, not written");
  const int64_t last = check_number(operands, 0, operands[0].rank() - 1);
  if (!fits(to, static_cast<uint64_t>(last)))
    fail_operand(0, operands[0], "has rows that are not whole blocks of " + std::string(info(to).name));
  return {{operands[0].shape, to, {}}};
}

}  // namespace

const OpInfo op::quantize{.name = "quantize", .kind = Kind::move, .infer = infer};

Value quantize(Value x, Format to) { return append(op::quantize, {x}, {{"to", to}}); }

}  // namespace braid
