// Rows of a table by index. Operands: table, indices.
#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 2);
  check_format(operands, 1, Format::i32);
  const Type& table = operands[0];
  const int64_t leading = attrs.integer("leading");
  if (leading < 1 || leading > static_cast<int64_t>(table.rank()))
    throw ShapeError("leading " + std::to_string(leading) + " is not among the dimensions of " + to_string(table));
  const bool blocks = is_quantized(table.format);
  if (blocks && leading == static_cast<int64_t>(table.rank())) fail_operand(0, table, "has no rows but whole blocks");
  if (table.layout != Layout::row_major && (leading != 1 || table.rank() != 2)) fail_operand(0, table, "is packed");
  Type out{operands[1].shape, blocks ? Format::f32 : table.format, {}};
  out.shape.insert(out.shape.end(), table.shape.begin() + leading, table.shape.end());
  return {out};
}

/// Reads the rows that it gives, not the table.
Cost cost(const Node& node, Types operands, const SymbolValues& sizes) {
  const FormatInfo& f = info(operands[0].format);
  const double read = static_cast<double>(element_count(node.types[0].shape, sizes)) * f.block_bytes / f.block_elements;
  return {.flops = 0,
          .bytes = read + static_cast<double>(byte_size(operands[1], sizes) + byte_size(node.types[0], sizes))};
}

}  // namespace

const OpInfo op::gather{.name = "gather", .kind = Kind::move, .infer = infer, .cost = cost};

Value gather(Value table, Value indices, int leading) {
  return append(op::gather, {table, indices}, {{"leading", leading}});
}

}  // namespace braid
