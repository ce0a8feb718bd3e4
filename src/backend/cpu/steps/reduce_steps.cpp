// Reductions over a dimension or a window, the k largest of a row, and the routing of experts.

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/cpu/steps/steps.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

int64_t product(const std::vector<int64_t>& sizes, size_t begin, size_t end) {
  int64_t n = 1;
  for (size_t i = begin; i < end; ++i) n *= sizes[i];
  return n;
}

/// reduce_sum, reduce_max over one dimension: rows of the last dimension by vector kernels, others element by element
/// in order.
class ReduceStep : public Step {
 public:
  explicit ReduceStep(const StepRequest& r)
      : kernels_(r.kernels),
        max_(r.node.op == &op::reduce_max),
        axis_(static_cast<size_t>(r.node.attrs.integer("axis"))) {}

  void run(const Worker&) noexcept override {
    const auto& sizes = in[0].sizes;
    const int64_t n = sizes[axis_], inner = product(sizes, axis_ + 1, sizes.size());
    const float* x = in[0].floats();
    auto* y = out[0].as<float>();
    claim(0, product(sizes, 0, axis_) * inner, std::max<int64_t>(1, 8192 / std::max<int64_t>(1, n)),
          [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
              const float* from = x + (i / inner) * n * inner + i % inner;
              if (inner == 1) {
                y[i] = max_ ? kernels_.max(from, n) : kernels_.sum(from, n);
                continue;
              }
              float total = max_ ? -std::numeric_limits<float>::infinity() : 0.0f;
              for (int64_t k = 0; k < n; ++k) total = max_ ? std::max(total, from[k * inner]) : total + from[k * inner];
              y[i] = total;
            }
          });
  }

 private:
  const Kernels& kernels_;
  bool max_;
  size_t axis_;
};

/// The k largest of a row, larger first, equal ones in order of their index. NaN sorts below everything.
void top_k_row(const float* x, int64_t n, int64_t k, float* values, int32_t* indices) {
  int64_t found = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (found == k && !(x[i] > values[k - 1])) continue;
    int64_t at = found < k ? found++ : k - 1;
    for (; at > 0 && x[i] > values[at - 1]; --at) {
      values[at] = values[at - 1];
      indices[at] = indices[at - 1];
    }
    values[at] = x[i];
    indices[at] = static_cast<int32_t>(i);
  }
}

class TopKStep : public Step {
 public:
  explicit TopKStep(const StepRequest& r) : k_(r.node.attrs.integer("k")) {}
  void run(const Worker&) noexcept override {
    claim(0, in[0].rows, 1, [&](int64_t r, int64_t) {
      top_k_row(in[0].floats() + r * in[0].last, in[0].last, k_, out[0].as<float>() + r * k_,
                out[1].as<int32_t>() + r * k_);
    });
  }

 private:
  int64_t k_;
};

/// The k best of softmax(logits): as the expansion computes them.
class RouteStep : public Step {
 public:
  explicit RouteStep(const StepRequest& r)
      : kernels_(r.kernels),
        k_(r.node.attrs.integer("k")),
        experts_(r.graph.type(r.node.inputs[0]).last().number()),
        renormalise_(r.node.attrs.integer("renormalise") != 0) {}
  size_t scratch_bytes() const override { return static_cast<size_t>(experts_) * 4 + 64; }
  void run(const Worker& worker) noexcept override {
    auto* probabilities = reinterpret_cast<float*>(worker.scratch);
    claim(0, in[0].rows, 1, [&](int64_t r, int64_t) {
      kernels_.softmax(in[0].floats() + r * experts_, probabilities, experts_);
      float* weights = out[1].as<float>() + r * k_;
      top_k_row(probabilities, experts_, k_, weights, out[0].as<int32_t>() + r * k_);
      if (!renormalise_) return;
      float sum = 0;
      for (int64_t i = 0; i < k_; ++i) sum += weights[i];
      for (int64_t i = 0; i < k_; ++i) weights[i] /= sum;
    });
  }

 private:
  const Kernels& kernels_;
  int64_t k_, experts_;
  bool renormalise_;
};

/// Pooling over the last one or two dimensions.
class ReduceWindowStep : public Step {
 public:
  explicit ReduceWindowStep(const StepRequest& r)
      : max_(r.node.attrs.text("kind") == "max"),
        size_(r.node.attrs.list("size")),
        stride_(r.node.attrs.list("stride")),
        padding_(r.node.attrs.list("padding")) {
    for (auto* list : {&size_, &stride_}) list->insert(list->begin(), 2 - list->size(), 1);
    padding_.insert(padding_.begin(), 2 - padding_.size(), 0);
    spatial_ = r.node.attrs.list("size").size();
  }
  void run(const Worker&) noexcept override {
    const auto& from = in[0].sizes;
    const auto& to = out[0].sizes;
    const int64_t h = spatial_ == 2 ? from[from.size() - 2] : 1, w = from.back();
    const int64_t oh = spatial_ == 2 ? to[to.size() - 2] : 1, ow = to.back();
    claim(0, product(to, 0, to.size() - spatial_), 1, [&](int64_t plane, int64_t) {
      const float* x = in[0].floats() + plane * h * w;
      float* y = out[0].as<float>() + plane * oh * ow;
      for (int64_t r = 0; r < oh; ++r)
        for (int64_t c = 0; c < ow; ++c)
          y[r * ow + c] = window(x, {h, w, r * stride_[0] - padding_[0], c * stride_[1] - padding_[1]});
    });
  }

 private:
  struct Corner {
    int64_t h, w, row, column;
  };
  float window(const float* x, const Corner& at) const {
    float total = max_ ? -std::numeric_limits<float>::infinity() : 0.0f;
    for (int64_t r = std::max<int64_t>(at.row, 0); r < std::min(at.row + size_[0], at.h); ++r)
      for (int64_t c = std::max<int64_t>(at.column, 0); c < std::min(at.column + size_[1], at.w); ++c)
        total = max_ ? std::max(total, x[r * at.w + c]) : total + x[r * at.w + c];
    return total;
  }
  bool max_;
  size_t spatial_;
  std::vector<int64_t> size_, stride_, padding_;
};

template <class S>
std::unique_ptr<Step> make(const StepRequest& request) {
  return std::make_unique<S>(request);
}
std::string needs_floats(const StepRequest& request) {
  for (ValueId v : request.node.inputs)
    if (request.graph.type(v).format != Format::f32) return "an operand is not f32";
  return {};
}
std::string rejects_window(const StepRequest& request) {
  if (request.node.attrs.list("size").size() > 2) return "more than two dimensions";
  return needs_floats(request);
}

}  // namespace

const KernelEntry kReduce{"reduce",     "reduce",        "f32, in order (whole rows: one vector)", "", 1.0,
                          needs_floats, make<ReduceStep>};
const KernelEntry kTopK{"top_k", "top_k", "", "", 1.0, needs_floats, make<TopKStep>};
const KernelEntry kRoute{"route", "route", "f32, whole row", "", 1.0, needs_floats, make<RouteStep>};
const KernelEntry kReduceWindow{"reduce_window", "reduce_window",       "f32, in order", "", 1.0,
                                rejects_window,  make<ReduceWindowStep>};

}  // namespace braid::cpu
