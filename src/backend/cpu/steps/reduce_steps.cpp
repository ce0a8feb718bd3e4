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

/// The best experts of a token: as the expansion computes them.
class RouteStep : public Step {
 public:
  explicit RouteStep(const StepRequest& r)
      : kernels_(r.kernels),
        experts_(r.graph.type(r.node.inputs[0]).last().number()),
        chosen_(r.node.attrs.integer("chosen")),
        groups_(r.node.attrs.integer("groups")),
        kept_groups_(r.node.attrs.integer("kept_groups")),
        group_best_(r.node.attrs.integer("group_best")),
        scale_(static_cast<float>(r.node.attrs.number("scale"))),
        softmax_(r.node.attrs.text("scores") == "softmax"),
        renormalise_(r.node.attrs.integer("renormalise") != 0) {}
  /// Scores, keys, and what the groups are judged by.
  size_t scratch_bytes() const override { return static_cast<size_t>(5 * experts_) * 4 + 64; }
  void run(const Worker& worker) noexcept override {
    auto* scores = reinterpret_cast<float*>(worker.scratch);
    claim(0, in[0].rows, 1, [&](int64_t r, int64_t) { row(r, scores); });
  }

 private:
  void row(int64_t r, float* scores) {
    const float* logits = in[0].floats() + r * experts_;
    if (softmax_) {
      kernels_.softmax(logits, scores, experts_);
    } else {
      kernels_.unary[static_cast<size_t>(Unary::sigmoid)](logits, scores, experts_);
    }
    float* keys = scores + experts_;
    for (int64_t e = 0; e < experts_; ++e) keys[e] = in.size() > 1 ? scores[e] + in[1].floats()[e] : scores[e];
    if (groups_ > 1) keep_best_groups(keys, keys + experts_);
    float* weights = out[1].as<float>() + r * chosen_;
    int32_t* chosen = out[0].as<int32_t>() + r * chosen_;
    top_k_row(keys, experts_, chosen_, weights, chosen);
    float sum = 0;
    for (int64_t i = 0; i < chosen_; ++i) sum += weights[i] = scores[chosen[i]];
    sum += static_cast<float>(kRouteFloor);
    for (int64_t i = 0; i < chosen_; ++i) weights[i] = (renormalise_ ? weights[i] / sum : weights[i]) * scale_;
  }

  /// Keys of the other groups become lower than any. `scratch`: groups + twice the longer of groups and a group.
  void keep_best_groups(float* keys, float* scratch) const {
    const int64_t size = experts_ / groups_;
    float *worth = scratch, *values = worth + groups_;
    auto* indices = reinterpret_cast<int32_t*>(values + std::max(groups_, size));
    for (int64_t g = 0; g < groups_; ++g) {
      top_k_row(keys + g * size, size, group_best_, values, indices);
      worth[g] = 0;
      for (int64_t i = 0; i < group_best_; ++i) worth[g] += values[i];
    }
    top_k_row(worth, groups_, kept_groups_, values, indices);
    for (int64_t g = 0; g < groups_; ++g)
      if (std::find(indices, indices + kept_groups_, g) == indices + kept_groups_)
        std::fill_n(keys + g * size, size, std::numeric_limits<float>::lowest());
  }

  const Kernels& kernels_;
  int64_t experts_, chosen_, groups_, kept_groups_, group_best_;
  float scale_;
  bool softmax_, renormalise_;
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
