// A stable sort of rows by group: what grouped products are fed with.
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  check_count(operands, 1);
  check_format(operands, 0, Format::i32);
  check_rank(operands, 0, 1);
  return {operands[0], {{Dim(attrs.integer("groups") + 1)}, Format::i32, {}}, operands[0]};
}

}  // namespace

const OpInfo op::group{.name = "group", .kind = Kind::move, .infer = infer};

Group group(Value group_of, int64_t groups) {
  auto results = append_all(op::group, {group_of}, {{"groups", groups}});
  return {results[0], results[1], results[2]};
}

}  // namespace braid
