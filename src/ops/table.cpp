#include <array>

#include "ops/ops.h"

namespace braid {
namespace {

constexpr std::array kTable = {
    &op::input,
    &op::parameter,
    &op::constant,
    &op::state,
#define OP(name) &op::name,
#include "ops/list.inc"
#undef OP
};

}  // namespace

std::span<const OpInfo* const> op_table() { return kTable; }

const OpInfo* find_op(std::string_view name) {
  for (const OpInfo* op : kTable)
    if (op->name == name) return op;
  return nullptr;
}

}  // namespace braid
