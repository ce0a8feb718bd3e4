#include <cstring>

#include "backend/oracle/program.h"
#include "core/error.h"
#include "ops/ops.h"

namespace braid::oracle {
namespace {

/// Row `index` of a tensor, in place.
Tensor row_of(const Tensor& tensor, int64_t index) {
  Tensor row = tensor;
  row.shape.erase(row.shape.begin());
  row.offset += static_cast<size_t>(index) * row.byte_size();
  return row;
}

void scan(Call& call) {
  const Attrs& attrs = call.node.attrs;
  const auto carries = static_cast<size_t>(attrs.integer("carries")), rows = static_cast<size_t>(attrs.integer("rows"));
  const bool stateful = attrs.integer("stateful") != 0;
  const Graph& body = call.body->graph();
  const std::span<const Tensor> pools = call.in.first(stateful ? carries : 0);
  const std::span<const Tensor> rest = call.in.subspan(pools.size() + (stateful ? 2 : 0));
  const int32_t* slots = stateful ? call.in[carries].data<int32_t>() : nullptr;
  const int32_t* context = stateful ? call.in[carries + 1].data<int32_t>() : nullptr;
  const int32_t* span_start = rest[0].data<int32_t>();
  const size_t outputs = body.outputs().size() - carries;
  for (size_t i = 0; i < outputs; ++i) call.make(i);

  std::vector<Tensor> arguments(body.inputs().size());
  for (size_t i = carries + rows; i < arguments.size(); ++i) arguments[i] = rest[1 + i - carries];
  const auto leaf = [&](uint32_t node) {
    size_t place = 0;
    while (body.inputs()[place] != node) ++place;
    return arguments[place];
  };
  for (int64_t s = 0; s + 1 < rest[0].elements(); ++s) {
    if (span_start[s] == span_start[s + 1]) continue;
    for (size_t i = 0; i < carries; ++i) {
      const Type& type = body.type({body.inputs()[i], 0});
      arguments[i] = make_tensor(sizes_at(type.shape, call.sizes), type.format);
      std::memset(arguments[i].bytes(), 0, arguments[i].byte_size());
      if (!stateful || context[s] == 0) continue;
      if (slots[s] < 0 || slots[s] >= pools[i].shape[0])
        throw Error("sequence " + std::to_string(s) + " has no slot " + std::to_string(slots[s]));
      std::memcpy(arguments[i].bytes(), row_of(pools[i], slots[s]).bytes(), arguments[i].byte_size());
    }
    for (int32_t t = span_start[s]; t < span_start[s + 1]; ++t) {
      for (size_t i = 0; i < rows; ++i) arguments[carries + i] = row_of(rest[1 + i], t);
      const std::vector<Tensor> results = call.body->run(leaf, call.sizes);
      for (size_t i = 0; i < carries; ++i) arguments[i] = results[i];
      for (size_t i = 0; i < outputs; ++i) {
        const Tensor to = row_of(call.out[i], t);
        std::memcpy(to.bytes(), results[carries + i].bytes(), to.byte_size());
      }
    }
    for (size_t i = 0; i < pools.size(); ++i) {
      if (slots[s] < 0 || slots[s] >= pools[i].shape[0])
        throw Error("sequence " + std::to_string(s) + " has no slot " + std::to_string(slots[s]));
      const Tensor to = row_of(pools[i], slots[s]);
      std::memcpy(to.bytes(), arguments[i].bytes(), to.byte_size());
    }
  }
  call.out.insert(call.out.end(), pools.begin(), pools.end());
}

constexpr Entry kEntries[] = {{&op::scan, scan}};

}  // namespace

std::span<const Entry> scan_entries() { return kEntries; }

}  // namespace braid::oracle
