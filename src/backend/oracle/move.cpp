#include <algorithm>
#include <cstring>
#include <numeric>

#include "backend/oracle/program.h"
#include "backend/oracle/strided.h"
#include "core/error.h"
#include "formats/formats.h"
#include "ops/ops.h"

namespace braid::oracle {
namespace {

/// Sizes and byte strides of a dense tensor whose last dimension counts blocks; for a quantised one the last dimension
/// is one chunk when `whole_rows`.
StridedView view_of(const Tensor& x, bool whole_rows) {
  const FormatInfo& f = info(x.format);
  StridedView view{x.shape, {}, 0, f.block_bytes};
  if (f.block_elements > 1) {
    view.sizes.back() /= f.block_elements;
    if (whole_rows) {
      view.chunk *= view.sizes.back();
      view.sizes.back() = 1;
    }
  }
  view.strides.resize(view.sizes.size());
  int64_t stride = view.chunk;
  for (size_t i = view.sizes.size(); i-- > 0; stride *= view.sizes[i]) view.strides[i] = stride;
  return view;
}

void reshape(Call& call) {
  const std::vector<int64_t> shape = sizes_at(call.node.types[0].shape, call.sizes);
  if (!call.fresh) {
    call.out = {call.in[0].reshaped(shape)};
    return;
  }
  Tensor y = call.make();
  std::memcpy(y.bytes(), call.in[0].bytes(), y.byte_size());
}

void transpose(Call& call) {
  const auto& order = call.node.attrs.list("order");
  const StridedView from = view_of(call.in[0], true);
  StridedView to = from;
  for (size_t i = 0; i < order.size(); ++i) {
    to.sizes[i] = from.sizes[static_cast<size_t>(order[i])];
    to.strides[i] = from.strides[static_cast<size_t>(order[i])];
  }
  copy_strided(call.in[0].bytes(), call.make().bytes(), to);
}

void slice(Call& call) {
  const auto axis = static_cast<size_t>(call.node.attrs.integer("axis"));
  StridedView view = view_of(call.in[0], false);
  const int64_t unit = axis + 1 == view.sizes.size() ? info(call.in[0].format).block_elements : 1;
  view.offset = call.node.attrs.integer("start") / unit * view.strides[axis];
  view.sizes[axis] = (call.node.attrs.integer("stop") - call.node.attrs.integer("start")) / unit;
  copy_strided(call.in[0].bytes(), call.make().bytes(), view);
}

void broadcast(Call& call) {
  const Tensor& x = call.in[0];
  Tensor y = call.make();
  const StridedView from = view_of(x, false);
  StridedView to{y.shape, std::vector<int64_t>(y.shape.size(), 0), 0, from.chunk};
  for (size_t i = 0; i < x.shape.size(); ++i)
    if (x.shape[i] != 1) to.strides[y.shape.size() - x.shape.size() + i] = from.strides[i];
  copy_strided(x.bytes(), y.bytes(), to);
}

void concat(Call& call) {
  const auto axis = static_cast<size_t>(call.node.attrs.integer("axis"));
  Tensor y = call.make();
  int64_t outer = 1;
  for (size_t i = 0; i < axis; ++i) outer *= y.shape[i];
  std::byte* to = y.bytes();
  for (int64_t o = 0; o < outer; ++o)
    for (const Tensor& part : call.in) {
      const size_t bytes = part.byte_size() / static_cast<size_t>(outer);
      std::memcpy(to, part.bytes() + static_cast<size_t>(o) * bytes, bytes);
      to += bytes;
    }
}

void iota(Call& call) {
  Tensor y = call.make();
  std::iota(y.data<int32_t>(), y.data<int32_t>() + y.elements(), 0);
}

/// Rows in the index space of the first `leading` dimensions.
struct Rows {
  int64_t count = 1, elements = 1;
  Rows(const Tensor& table, int64_t leading) {
    for (size_t i = 0; i < table.shape.size(); ++i)
      (static_cast<int64_t>(i) < leading ? count : elements) *= table.shape[i];
  }
  int64_t check(int32_t index) const {
    if (index < 0 || index >= count)
      throw Error("index " + std::to_string(index) + " lies outside a table of " + std::to_string(count) + " rows");
    return index;
  }
};

void gather(Call& call) {
  const Tensor &table = call.in[0], &indices = call.in[1];
  const Rows rows(table, call.node.attrs.integer("leading"));
  Tensor y = call.make();
  const int32_t* index = indices.data<int32_t>();
  if (!is_quantized(table.format)) {
    const size_t bytes = static_cast<size_t>(rows.elements) * info(table.format).block_bytes;
    for (int64_t i = 0; i < indices.elements(); ++i)
      std::memcpy(y.bytes() + static_cast<size_t>(i) * bytes,
                  table.bytes() + static_cast<size_t>(rows.check(index[i])) * bytes, bytes);
    return;
  }
  const int64_t last = table.last(), lines = rows.elements / last;
  for (int64_t i = 0; i < indices.elements(); ++i)
    for (int64_t line = 0; line < lines; ++line)
      decode_row(table, rows.check(index[i]) * lines + line,
                 {y.data<float>() + (i * lines + line) * last, static_cast<size_t>(last)});
}

/// In place: the verifier has seen to it that nothing reads the version before.
void scatter(Call& call) {
  const Tensor &state = call.in[0], &values = call.in[1], &indices = call.in[2];
  const Rows rows(state, call.node.attrs.integer("leading"));
  const size_t bytes = static_cast<size_t>(rows.elements) * info(state.format).block_bytes;
  std::vector<float> row(static_cast<size_t>(rows.elements));
  const size_t from_bytes = row.size() * info(values.format).block_bytes;
  for (int64_t i = 0; i < indices.elements(); ++i) {
    std::byte* to = state.bytes() + static_cast<size_t>(rows.check(indices.data<int32_t>()[i])) * bytes;
    const std::byte* from = values.bytes() + static_cast<size_t>(i) * from_bytes;
    if (state.format == values.format) {
      std::memcpy(to, from, bytes);
      continue;
    }
    format_ops(values.format).decode(from, row);
    format_ops(state.format).encode(row, to);
  }
  call.out = {state};
}

void segment_of(Call& call) {
  Tensor y = call.make();
  const int32_t* start = call.in[0].data<int32_t>();
  const int64_t sequences = call.in[0].elements() - 1;
  if (start[0] != 0 || start[sequences] != y.elements() || !std::is_sorted(start, start + sequences + 1))
    throw Error("span_start does not run from 0 to the number of tokens");
  for (int64_t s = 0; s < sequences; ++s)
    std::fill(y.data<int32_t>() + start[s], y.data<int32_t>() + start[s + 1], static_cast<int32_t>(s));
}

void group(Call& call) {
  const auto groups = static_cast<int32_t>(call.node.attrs.integer("groups"));
  const int32_t* of = call.in[0].data<int32_t>();
  const int64_t rows = call.in[0].elements();
  Tensor order = call.make(0), offsets = call.make(1), inverse = call.make(2);
  int32_t next = 0;
  for (int32_t g = 0; g < groups; ++g) {
    offsets.data<int32_t>()[g] = next;
    for (int64_t r = 0; r < rows; ++r) {
      if (of[r] < 0 || of[r] >= groups) throw Error("there is no group " + std::to_string(of[r]));
      if (of[r] != g) continue;
      order.data<int32_t>()[next] = static_cast<int32_t>(r);
      inverse.data<int32_t>()[r] = next++;
    }
  }
  offsets.data<int32_t>()[groups] = next;
}

void quantize(Call& call) {
  const Tensor& x = call.in[0];
  Tensor y = call.make();
  const auto n = static_cast<size_t>(x.last());
  const size_t bytes = row_bytes(y.format, n);
  for_ranges(x.rows(), static_cast<double>(n) * 8, [&](int64_t begin, int64_t end) {
    std::vector<float> row(n);
    for (int64_t r = begin; r < end; ++r) {
      decode_row(x, r, row);
      format_ops(y.format).encode(row, y.bytes() + static_cast<size_t>(r) * bytes);
    }
  });
}

void pack(Call& call) {
  const Tensor& w = call.in[0];
  Tensor y = Tensor::make(w.shape, w.format, call.node.types[0].layout);
  for_ranges((w.shape[0] + 15) / 16, static_cast<double>(16 * w.last()),
             [&](int64_t begin, int64_t end) { interleave16(w, begin, end, y); });
  call.out = {y};
}

constexpr Entry kEntries[] = {
    {&op::reshape, reshape},       {&op::transpose, transpose}, {&op::slice, slice},       {&op::concat, concat},
    {&op::broadcast, broadcast},   {&op::iota, iota},           {&op::gather, gather},     {&op::scatter, scatter},
    {&op::segment_of, segment_of}, {&op::group, group},         {&op::quantize, quantize}, {&op::pack, pack},
};

}  // namespace

std::span<const Entry> move_entries() { return kEntries; }

}  // namespace braid::oracle
