// Steps that move bytes: lookups, new versions of states, permutations, and the bookkeeping of ragged batches.

#include <algorithm>
#include <cstring>

#include "backend/cpu/steps/steps.h"
#include "formats/formats.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

constexpr int64_t kGrainBytes = 32 << 10;

int64_t grain_for(int64_t bytes_per_unit) {
  return std::max<int64_t>(1, kGrainBytes / std::max<int64_t>(1, bytes_per_unit));
}
size_t element_bytes(const Type& type) { return info(type.format).block_bytes; }

int64_t product(const std::vector<int64_t>& sizes, size_t begin, size_t end) {
  int64_t n = 1;
  for (size_t i = begin; i < end; ++i) n *= sizes[i];
  return n;
}

/// One row of a pack in Layout::interleave16 (core/type.h).
void decode_packed_row(Format format, const std::byte* pack, int64_t row, int64_t n, float* to) {
  const IntegerBlocks& blocks = format_ops(format).blocks;
  const int64_t lane = row % 16, tile_bytes = 32 + 16 * 32 * blocks.bits / 8;
  const std::byte* tile = pack + row / 16 * (n / 32) * tile_bytes;
  for (int64_t k = 0; k < n; k += 32, tile += tile_bytes) {
    float scale;
    uint16_t bits;
    std::memcpy(&bits, tile + lane * 2, 2);
    format_ops(Format::f16).decode(reinterpret_cast<const std::byte*>(&bits), {&scale, 1});
    for (int64_t i = 0; i < 32; ++i) {
      const int64_t group = i / 4;
      const int64_t held = blocks.bits == 8 ? group : group % 4;
      auto code = static_cast<int>(tile[32 + held * 64 + lane * 4 + i % 4]);
      if (blocks.bits == 4) code = group < 4 ? code & 15 : code >> 4;
      to[k + i] = static_cast<float>(code - blocks.zero_point) * scale;
    }
  }
}

/// Rows of a table by index. Row-major tables are copied or decoded; packs are read where they lie.
class GatherStep : public Step {
 public:
  explicit GatherStep(const StepRequest& r) : leading_(static_cast<size_t>(r.node.attrs.integer_or("leading", 1))) {}
  void run(const Worker&) noexcept override {
    const Operand& table = in[0];
    const int64_t rows = product(table.sizes, 0, leading_);
    const int64_t inner = product(table.sizes, leading_, table.sizes.size());
    const auto bytes =
        static_cast<size_t>(inner) * info(table.type.format).block_bytes / info(table.type.format).block_elements;
    const bool decode = is_quantized(table.type.format);
    claim(0, in[1].elements(), grain_for(inner * 4), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t index = std::clamp<int64_t>(in[1].ints()[i], 0, rows - 1);
        if (!decode)
          std::memcpy(out[0].data + static_cast<size_t>(i) * bytes, table.data + static_cast<size_t>(index) * bytes,
                      bytes);
        else if (table.type.layout == Layout::row_major)
          format_ops(table.type.format)
              .decode(table.data + static_cast<size_t>(index) * bytes,
                      {out[0].as<float>() + i * inner, static_cast<size_t>(inner)});
        else
          decode_packed_row(table.type.format, table.data, index, inner, out[0].as<float>() + i * inner);
      }
    });
  }

 private:
  size_t leading_;
};

/// Rows into a state, in place: the new version has the bytes of the old one.
class ScatterStep : public Step {
 public:
  explicit ScatterStep(const StepRequest& r)
      : kernels_(r.kernels), leading_(static_cast<size_t>(r.node.attrs.integer_or("leading", 1))) {}
  void run(const Worker&) noexcept override {
    const Operand& state = in[0];
    const int64_t rows = product(state.sizes, 0, leading_);
    const int64_t inner = product(state.sizes, leading_, state.sizes.size());
    const size_t bytes = static_cast<size_t>(inner) * element_bytes(state.type);
    claim(0, in[2].elements(), grain_for(static_cast<int64_t>(bytes)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t index = std::clamp<int64_t>(in[2].ints()[i], 0, rows - 1);
        std::byte* to = state.data + static_cast<size_t>(index) * bytes;
        if (state.type.format == in[1].type.format)
          std::memcpy(to, in[1].data + static_cast<size_t>(i) * bytes, bytes);
        else
          encode_row(kernels_, state.type.format, in[1].floats() + i * inner, to, inner);
      }
    });
  }

 private:
  const Kernels& kernels_;
  size_t leading_;
};

/// Copies elements so that result dimension i steps through the operand by stride_[i]: transpose and broadcast.
class StridedStep : public Step {
 public:
  explicit StridedStep(const StepRequest& r) : transpose_(r.node.op == &op::transpose) {
    if (transpose_) order_ = r.node.attrs.list("order");
  }
  void prepare(const SymbolValues&) override {
    const auto& from = in[0].sizes;
    const auto& to = out[0].sizes;
    stride_.assign(to.size(), 0);
    std::vector<int64_t> strides(from.size(), 1);
    for (size_t i = from.size(); i-- > 1;) strides[i - 1] = strides[i] * from[i];
    if (transpose_) {
      for (size_t i = 0; i < to.size(); ++i) stride_[i] = strides[static_cast<size_t>(order_[i])];
    } else {
      for (size_t d = 0; d < from.size(); ++d) {
        const size_t i = from.size() - 1 - d;
        stride_[to.size() - 1 - d] = from[i] == 1 ? 0 : strides[i];
      }
    }
  }
  void run(const Worker&) noexcept override {
    const size_t size = element_bytes(out[0].type);
    const auto& to = out[0].sizes;
    const int64_t last = out[0].last;
    const int64_t step = to.empty() ? 0 : stride_.back();
    claim(0, out[0].rows, grain_for(last * static_cast<int64_t>(size)), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        int64_t offset = 0, rest = row;
        for (size_t d = to.size(); d-- > 1;) {
          offset += rest % to[d - 1] * stride_[d - 1];
          rest /= to[d - 1];
        }
        copy_row(in[0].data + static_cast<size_t>(offset) * size, out[0].data + static_cast<size_t>(row * last) * size,
                 {last, step, size});
      }
    });
  }

 private:
  struct Line {
    int64_t count, step;
    size_t size;
  };
  template <class T>
  static void copy_elements(const std::byte* from, std::byte* to, const Line& line) {
    const auto* f = reinterpret_cast<const T*>(from);
    auto* t = reinterpret_cast<T*>(to);
    for (int64_t i = 0; i < line.count; ++i) t[i] = f[i * line.step];
  }
  static void copy_row(const std::byte* from, std::byte* to, const Line& line) {
    if (line.step == 1) {
      std::memcpy(to, from, static_cast<size_t>(line.count) * line.size);
      return;
    }
    if (line.size == 4) return copy_elements<uint32_t>(from, to, line);
    if (line.size == 2) return copy_elements<uint16_t>(from, to, line);
    if (line.size == 8) return copy_elements<uint64_t>(from, to, line);
    copy_elements<uint8_t>(from, to, line);
  }
  bool transpose_;
  std::vector<int64_t> order_, stride_;
};

class SliceStep : public Step {
 public:
  explicit SliceStep(const StepRequest& r)
      : axis_(static_cast<size_t>(r.node.attrs.integer("axis"))), start_(r.node.attrs.integer("start")) {}
  void run(const Worker&) noexcept override {
    const int64_t outer = product(in[0].sizes, 0, axis_);
    const int64_t inner = product(in[0].sizes, axis_ + 1, in[0].sizes.size());
    const size_t size = element_bytes(in[0].type);
    const auto taken = static_cast<size_t>(out[0].sizes[axis_] * inner) * size;
    const auto whole = static_cast<size_t>(in[0].sizes[axis_] * inner) * size;
    claim(0, outer, grain_for(static_cast<int64_t>(taken)), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o)
        std::memcpy(out[0].data + static_cast<size_t>(o) * taken,
                    in[0].data + static_cast<size_t>(o) * whole + static_cast<size_t>(start_ * inner) * size, taken);
    });
  }

 private:
  size_t axis_;
  int64_t start_;
};

class ConcatStep : public Step {
 public:
  explicit ConcatStep(const StepRequest& r) : axis_(static_cast<size_t>(r.node.attrs.integer("axis"))) {}
  void run(const Worker&) noexcept override {
    const int64_t outer = product(out[0].sizes, 0, axis_);
    const size_t size = element_bytes(out[0].type);
    auto bytes = [&](const Operand& x) { return static_cast<size_t>(product(x.sizes, axis_, x.sizes.size())) * size; };
    const size_t whole = bytes(out[0]);
    claim(0, outer, grain_for(static_cast<int64_t>(whole)), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) {
        std::byte* to = out[0].data + static_cast<size_t>(o) * whole;
        for (const Operand& part : in) {
          std::memcpy(to, part.data + static_cast<size_t>(o) * bytes(part), bytes(part));
          to += bytes(part);
        }
      }
    });
  }

 private:
  size_t axis_;
};

class IotaStep : public Step {
 public:
  explicit IotaStep(const StepRequest&) {}
  void run(const Worker& worker) noexcept override {
    if (!worker.first()) return;
    for (int64_t i = 0; i < out[0].last; ++i) out[0].as<int32_t>()[i] = static_cast<int32_t>(i);
  }
};

class SegmentStep : public Step {
 public:
  explicit SegmentStep(const StepRequest&) {}
  void run(const Worker& worker) noexcept override {
    if (!worker.first()) return;
    const int32_t* spans = in[0].ints();
    for (int64_t s = 0; s + 1 < in[0].last; ++s)
      for (int32_t t = spans[s]; t < spans[s + 1]; ++t) out[0].as<int32_t>()[t] = static_cast<int32_t>(s);
  }
};

/// A stable counting sort by group.
class GroupStep : public Step {
 public:
  explicit GroupStep(const StepRequest& r)
      : groups_(r.node.attrs.integer("groups")), next_(static_cast<size_t>(groups_)) {}
  void run(const Worker& worker) noexcept override {
    if (!worker.first()) return;
    const int32_t* group_of = in[0].ints();
    auto* order = out[0].as<int32_t>();
    auto* offsets = out[1].as<int32_t>();
    auto* inverse = out[2].as<int32_t>();
    const int64_t rows = in[0].last;
    std::fill_n(offsets, groups_ + 1, 0);
    for (int64_t r = 0; r < rows; ++r) ++offsets[std::clamp<int64_t>(group_of[r], 0, groups_ - 1) + 1];
    for (int64_t g = 0; g < groups_; ++g) offsets[g + 1] += offsets[g];
    std::copy_n(offsets, groups_, next_.begin());
    for (int64_t r = 0; r < rows; ++r) {
      const int32_t at = next_[static_cast<size_t>(std::clamp<int64_t>(group_of[r], 0, groups_ - 1))]++;
      order[at] = static_cast<int32_t>(r);
      inverse[r] = at;
    }
  }

 private:
  int64_t groups_;
  std::vector<int32_t> next_;
};

template <class S>
std::unique_ptr<Step> make(const StepRequest& request) {
  return std::make_unique<S>(request);
}

std::string any(const StepRequest&) { return {}; }
std::string unquantized(const StepRequest& request) {
  for (ValueId v : request.node.inputs)
    if (is_quantized(request.graph.type(v).format)) return "blocks of a quantised format cannot be cut";
  return {};
}
std::string rejects_gather(const StepRequest& request) {
  const Type& table = request.graph.type(request.node.inputs[0]);
  if (is_quantized(table.format) && (table.rank() != 2 || request.node.attrs.integer_or("leading", 1) != 1))
    return "a quantised table is not a matrix";
  return {};
}

}  // namespace

const KernelEntry kGather{"gather", "gather", "", "", 1.0, rejects_gather, make<GatherStep>};
const KernelEntry kScatter{"scatter", "scatter", "", "", 1.0, any, make<ScatterStep>};
const KernelEntry kTranspose{"transpose", "transpose", "", "", 1.0, unquantized, make<StridedStep>};
const KernelEntry kBroadcast{"broadcast", "broadcast", "", "", 1.0, unquantized, make<StridedStep>};
const KernelEntry kSlice{"slice", "slice", "", "", 1.0, unquantized, make<SliceStep>};
const KernelEntry kConcat{"concat", "concat", "", "", 1.0, unquantized, make<ConcatStep>};
const KernelEntry kIota{"iota", "iota", "", "", 1.0, any, make<IotaStep>};
const KernelEntry kSegmentOf{"segment_of", "segment_of", "", "", 1.0, any, make<SegmentStep>};
const KernelEntry kGroup{"group", "group", "", "", 1.0, any, make<GroupStep>};

}  // namespace braid::cpu
