// Products: one region of work over all weights of the node. Each worker takes ranges of output columns; what comes
// before (a norm, a conversion) every worker computes for itself, what comes after runs on the tile just made.

#include <algorithm>
#include <cstring>

#include "backend/cpu/steps/product.h"
#include "backend/cpu/steps/steps.h"
#include "formats/formats.h"

namespace braid::cpu {
namespace {

using Norm = ProductForm::Prologue::Norm;
using Spread = ProductForm::External::Spread;

constexpr int64_t kFewRows = 16;            // up to here the weights' bytes decide, above it arithmetic
constexpr int64_t kChunkBytes = 448 << 10;  // of weights per claim when the weights' bytes decide
constexpr int64_t kStep = 64;               // columns: kernels stream several tiles of 16 side by side
constexpr int64_t kManyColumns = 192, kLeastColumns = 96, kPanel = 32;  // columns per claim when arithmetic decides
constexpr int64_t kPanelRows = 16;  // weights decoded at a time where no kernel reads the format

size_t align64(size_t bytes) { return (bytes + 63) / 64 * 64; }

class ProductStep : public Step {
 public:
  ProductStep(const StepRequest& request, ProductForm form)
      : kernels_(request.kernels), form_(std::move(form)), threads_(request.threads) {
    Operand x;
    x.type = request.graph.type(request.node.inputs[static_cast<size_t>(form_.x)]);
    x.resize(request.bounds);
    max_rows_ = x.rows;
    for (auto& segment : form_.segments) {
      std::vector<ProductFn> functions;
      for (int w : segment.weights) {
        const Type& type = request.graph.type(request.node.inputs[static_cast<size_t>(w)]);
        functions.push_back(product_function(kernels_, form_.x_format, type));
        decodes_ |= decodes(type);
      }
      functions_.push_back(std::move(functions));
      max_weights_ = std::max(max_weights_, segment.weights.size());
      if (segment.program) program_floats_ = std::max(program_floats_, segment.program->scratch_floats(kMaxColumns));
      has_program_ |= segment.program.has_value();
    }
    starts_.resize(form_.segments.size() + 1);
    ranges_ = std::vector<Counter>(static_cast<size_t>(threads_));
  }

  size_t scratch_bytes() const override {
    size_t bytes = align64(product_scratch_bytes());
    if (has_prologue())
      bytes += align64(static_cast<size_t>(form_.k) * 4) +
               align64(row_bytes(form_.x_format, static_cast<uint64_t>(form_.k)) * static_cast<size_t>(max_rows_));
    if (has_program_) bytes += align64(static_cast<size_t>(program_floats_) * 4) + max_weights_ * align64(tile_bytes());
    if (decodes_) bytes += align64(static_cast<size_t>(kPanelRows * form_.k) * 4);
    return bytes;
  }

  void prepare(const SymbolValues&) override {
    // Each segment is cut into ranges of columns; a unit of work is one range (of one expert).
    int64_t units = 0;
    const int64_t rows = in[static_cast<size_t>(form_.x)].rows;
    const auto experts = static_cast<int64_t>(std::max<size_t>(form_.experts.size(), 1));
    few_ = rows <= kFewRows;
    columns_.resize(form_.segments.size());
    for (size_t s = 0; s < form_.segments.size(); ++s) {
      const auto& segment = form_.segments[s];
      int64_t columns = many_columns(segment.columns);
      if (few_) {
        const Operand& w = in[static_cast<size_t>(segment.weights.front())];
        const auto weight_bytes = static_cast<int64_t>(w.row_bytes() * segment.weights.size());
        const int64_t fair = segment.columns / threads_;
        columns = std::clamp(std::min(kChunkBytes / weight_bytes, fair) / kStep * kStep, kStep, kMaxColumns);
      }
      columns_[s] = columns;
      starts_[s] = units;
      units += (segment.columns + columns - 1) / columns * experts;
    }
    starts_.back() = units;
  }

  void run(const Worker& worker) noexcept override {
    Scratch scratch = carve(worker.scratch);
    const Operand& x = in[static_cast<size_t>(form_.x)];
    const std::byte* rows = x.data;
    size_t row_bytes = x.row_bytes();
    if (has_prologue()) {
      row_bytes = braid::row_bytes(form_.x_format, static_cast<uint64_t>(form_.k));
      rows = scratch.encoded;
    }
    bool ready = !has_prologue();
    claim_near(worker, starts_.back(), [&](int64_t unit) {
      if (!ready) {
        prologue(x, scratch);
        ready = true;
      }
      const size_t s =
          static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), unit) - starts_.begin()) - 1;
      const auto& segment = form_.segments[s];
      const int64_t ranges = (segment.columns + columns_[s] - 1) / columns_[s];
      const int64_t local = unit - starts_[s];
      const int64_t expert = local / ranges;
      Range range{s, (local % ranges) * columns_[s], 0, 0, x.rows, -1};
      range.end = std::min(range.begin + columns_[s], segment.columns);
      if (form_.offsets >= 0) {
        const int32_t* offsets = in[static_cast<size_t>(form_.offsets)].ints();
        range.row = offsets[expert];
        range.rows = offsets[expert + 1] - offsets[expert];
        range.expert = static_cast<int>(expert);
        if (range.rows == 0) return;
      }
      compute(range, rows + static_cast<size_t>(range.row) * row_bytes, row_bytes, scratch);
    });
  }

 private:
  static constexpr int64_t kMaxColumns = 256;

  struct Scratch {
    std::byte* product = nullptr;
    float* normed = nullptr;
    std::byte* encoded = nullptr;
    float* program = nullptr;
    std::byte* tiles = nullptr;
    float* panel = nullptr;
  };
  struct Range {
    size_t segment;
    int64_t begin, end;  // columns
    int64_t row, rows;   // of x and the results
    int expert;
  };

  /// Whole panels, such that the workers have nearly the same to do; wide ones read x less often.
  int64_t many_columns(int64_t all) const {
    int64_t best = kManyColumns, least = INT64_MAX;
    for (int64_t columns = kManyColumns; columns >= kLeastColumns; columns -= kPanel) {
      const int64_t units = (all + columns - 1) / columns, each = (units + threads_ - 1) / threads_;
      const int64_t longest = std::min(each * columns, all);
      if (longest >= least) continue;
      best = columns;
      least = longest;
    }
    return best;
  }
  bool has_prologue() const { return form_.prologue.norm != Norm::none || form_.prologue.encode; }
  bool decodes(const Type& w) const { return form_.x_format == Format::f32 && is_quantized(w.format); }
  size_t tile_bytes() const {
    return static_cast<size_t>(max_rows_ <= kFewRows ? max_rows_ * kMaxColumns
                                                     : std::max(max_rows_ * kManyColumns, kFewRows * kMaxColumns)) *
           4;
  }

  Scratch carve(std::byte* at) const {
    Scratch s;
    auto take = [&](size_t bytes) {
      std::byte* here = at;
      at += align64(bytes);
      return here;
    };
    s.product = take(product_scratch_bytes());
    if (has_prologue()) {
      s.normed = reinterpret_cast<float*>(take(static_cast<size_t>(form_.k) * 4));
      s.encoded =
          take(braid::row_bytes(form_.x_format, static_cast<uint64_t>(form_.k)) * static_cast<size_t>(max_rows_));
    }
    if (has_program_) {
      s.program = reinterpret_cast<float*>(take(static_cast<size_t>(program_floats_) * 4));
      s.tiles = at;
      at += max_weights_ * align64(tile_bytes());
    }
    if (decodes_) s.panel = reinterpret_cast<float*>(take(static_cast<size_t>(kPanelRows * form_.k) * 4));
    return s;
  }

  void prologue(const Operand& x, const Scratch& scratch) {
    const auto& p = form_.prologue;
    const size_t out_bytes = braid::row_bytes(form_.x_format, static_cast<uint64_t>(form_.k));
    for (int64_t r = 0; r < x.rows; ++r) {
      const float* row = x.floats() + r * form_.k;
      std::byte* to = scratch.encoded + static_cast<size_t>(r) * out_bytes;
      if (p.norm != Norm::none) {
        float* normed = p.encode ? scratch.normed : reinterpret_cast<float*>(to);
        const float* weight = in[static_cast<size_t>(p.weight)].floats();
        const float* bias = p.bias >= 0 ? in[static_cast<size_t>(p.bias)].floats() : nullptr;
        if (p.norm == Norm::rms)
          kernels_.rms_norm(row, weight, p.epsilon, normed, form_.k);
        else
          kernels_.layer_norm(row, weight, bias, p.epsilon, normed, form_.k);
        row = normed;
      }
      if (p.encode) encode_row(kernels_, form_.x_format, row, to, form_.k);
    }
  }

  void compute(const Range& range, const std::byte* x, size_t x_row_bytes, const Scratch& scratch) {
    const auto& segment = form_.segments[range.segment];
    const int64_t width = range.end - range.begin;
    float* tiles[8] = {};
    for (size_t i = 0; i < segment.weights.size(); ++i) {
      const int w = range.expert >= 0 ? form_.experts[static_cast<size_t>(range.expert)] : segment.weights[i];
      Product product;
      product.x = x;
      product.x_row_bytes = x_row_bytes;
      product.rows = range.rows;
      product.k = form_.k;
      product.scratch = scratch.product;
      if (segment.program) {
        tiles[i] = reinterpret_cast<float*>(scratch.tiles + i * align64(tile_bytes()));
        product.y = tiles[i];
        product.y_stride = width;
      } else {
        const Operand& y = out[static_cast<size_t>(segment.direct[i])];
        product.y = y.as<float>() + range.row * y.last + range.begin;
        product.y_stride = y.last;
      }
      multiply(functions_[range.segment][i], in[static_cast<size_t>(w)], range, product, scratch);
    }
    if (segment.program) epilogue(range, tiles, scratch);
  }

  void multiply(ProductFn function, const Operand& w, const Range& range, Product product, const Scratch& scratch) {
    product.w_row_bytes = w.row_bytes();
    if (!decodes(w.type)) {
      product.w = w.data;
      product.n_begin = range.begin;
      product.n_end = range.end;
      function(product);
      return;
    }
    // No kernel multiplies f32 with this format: decode a few weights, then multiply those.
    float* y = product.y;
    product.w = reinterpret_cast<const std::byte*>(scratch.panel);
    product.w_row_bytes = static_cast<size_t>(form_.k) * 4;
    product.n_begin = 0;
    for (int64_t n = range.begin; n < range.end; n += kPanelRows) {
      const int64_t count = std::min(kPanelRows, range.end - n);
      for (int64_t i = 0; i < count; ++i)
        format_ops(w.type.format)
            .decode(w.data + static_cast<size_t>(n + i) * w.row_bytes(),
                    {scratch.panel + i * form_.k, static_cast<size_t>(form_.k)});
      product.n_end = count;
      product.y = y + (n - range.begin);
      function(product);
    }
  }

  void epilogue(const Range& range, float* const* tiles, const Scratch& scratch) {
    const auto& segment = form_.segments[range.segment];
    const int64_t width = range.end - range.begin;
    const float* inputs[48];
    float* outputs[8];
    for (int64_t r = 0; r < range.rows; ++r) {
      for (size_t i = 0; i < segment.tile_of_input.size(); ++i) {
        if (segment.tile_of_input[i] >= 0) {
          inputs[i] = tiles[segment.tile_of_input[i]] + r * width;
          continue;
        }
        const auto& external = segment.externals[i];
        const float* base = in[static_cast<size_t>(external.operand)].floats();
        if (external.spread == Spread::full) base += (range.row + r) * segment.columns + range.begin;
        if (external.spread == Spread::row) base += range.begin;
        inputs[i] = base;
      }
      for (size_t o = 0; o < segment.results.size(); ++o)
        outputs[o] =
            out[static_cast<size_t>(segment.results[o])].as<float>() + (range.row + r) * segment.columns + range.begin;
      segment.program->run(kernels_, inputs, outputs, scratch.program, width);
    }
  }

  const Kernels& kernels_;
  ProductForm form_;
  int threads_;
  int64_t max_rows_ = 0;
  bool few_ = false, decodes_ = false, has_program_ = false;
  size_t max_weights_ = 1;
  int64_t program_floats_ = 0;
  std::vector<std::vector<ProductFn>> functions_;
  std::vector<int64_t> columns_, starts_;
};

bool is_product_node(const StepRequest& request) {
  return read_product(request.graph, request.node, nullptr).has_value();
}

std::string rejects(const StepRequest& request, Format x, bool packed_integer) {
  std::string why;
  const auto form = read_product(request.graph, request.node, &why);
  if (!form) return why;
  if (form->x_format != x) return "the input is " + std::string(info(form->x_format).name);
  for (const auto& segment : form->segments) {
    if (segment.weights.size() > 8 || segment.results.size() > 8) return "more than 8 weights share a tile";
    for (int w : segment.weights) {
      const Type& type = request.graph.type(request.node.inputs[static_cast<size_t>(w)]);
      if (product_function(request.kernels, x, type) == nullptr) return "no kernel for weights of " + to_string(type);
      if ((type.layout == Layout::interleave16) != packed_integer)
        return "weights are " + std::string(name(type.layout));
    }
  }
  return {};
}

bool needs_decoding(const StepRequest& request) {
  for (ValueId v : request.node.inputs)
    if (is_quantized(request.graph.type(v).format) && request.graph.type(v).layout == Layout::row_major) return true;
  return false;
}

std::unique_ptr<Step> make(const StepRequest& request) {
  return std::make_unique<ProductStep>(request, *read_product(request.graph, request.node, nullptr));
}

}  // namespace

void encode_row(const Kernels& kernels, Format to, const float* x, std::byte* y, int64_t n) {
  if (to == Format::q8_act) return kernels.encode_q8_act(x, y, n);
  if (to == Format::bf16) return kernels.encode_bf16(x, y, n);
  if (to == Format::f16) return kernels.encode_f16(x, y, n);
  format_ops(to).encode({x, static_cast<size_t>(n)}, y);
}

const KernelEntry kProductInteger{"product_integer",
                                  "contract",
                                  "i32 per block of 32, then f32 block by block",
                                  "",
                                  1.0,
                                  [](const StepRequest& r) { return rejects(r, Format::q8_act, true); },
                                  make};
const KernelEntry kProductBf16{"product_bf16",
                               "contract",
                               "f32, whole K, one vector of pairs",
                               "AVX512_BF16",
                               1.0,
                               [](const StepRequest& r) -> std::string {
                                 if (!r.kernels.native_bf16) return "this instruction set has no bf16 products";
                                 return rejects(r, Format::bf16, false);
                               },
                               make};
const KernelEntry kProductF32{"product_f32",
                              "contract",
                              "f32, whole K, one vector",
                              "",
                              2.0,
                              [](const StepRequest& r) -> std::string {
                                if (is_product_node(r) && needs_decoding(r))
                                  return "an integer class is not multiplied with f32 directly";
                                return rejects(r, Format::f32, false);
                              },
                              make};
const KernelEntry kProductDecode{"product_decode",
                                 "contract",
                                 "f32, whole K, one vector",
                                 "",
                                 3.0,
                                 [](const StepRequest& r) { return rejects(r, Format::f32, false); },
                                 make};

}  // namespace braid::cpu
