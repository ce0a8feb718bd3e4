#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "backend/oracle/program.h"
#include "ops/ops.h"

namespace braid::oracle {
namespace {

/// x as (outer, n, inner) around the axis.
struct Axes {
  int64_t outer = 1, n, inner = 1;
  Axes(const Tensor& x, int64_t axis) : n(x.shape[static_cast<size_t>(axis)]) {
    for (int64_t i = 0; i < axis; ++i) outer *= x.shape[static_cast<size_t>(i)];
    for (size_t i = static_cast<size_t>(axis) + 1; i < x.shape.size(); ++i) inner *= x.shape[i];
  }
};

template <class Function>
void reduce(Call& call, double start, Function function) {
  const Axes a(call.in[0], call.node.attrs.integer("axis"));
  const float* x = call.in[0].data<float>();
  Tensor y = call.make();
  float* to = y.data<float>();
  for_ranges(a.outer, static_cast<double>(a.n * a.inner), [&](int64_t begin, int64_t end) {
    std::vector<double> sums(static_cast<size_t>(a.inner));
    for (int64_t o = begin; o < end; ++o) {
      std::fill(sums.begin(), sums.end(), start);
      const float* from = x + o * a.n * a.inner;
      for (int64_t i = 0; i < a.n; ++i)
        for (size_t j = 0; j < sums.size(); ++j) sums[j] = function(sums[j], double{*from++});
      for (size_t j = 0; j < sums.size(); ++j) to[o * a.inner + static_cast<int64_t>(j)] = static_cast<float>(sums[j]);
    }
  });
}

double plus(double a, double b) { return a + b; }
double greater(double a, double b) { return std::isnan(a) || a > b ? a : b; }

void reduce_sum(Call& call) { reduce(call, 0, plus); }
void reduce_max(Call& call) { reduce(call, -std::numeric_limits<double>::infinity(), greater); }

/// One window after another along a dimension at a time: both kinds are separable.
template <class Function>
std::vector<double> pool_axis(const std::vector<double>& x, std::vector<int64_t>& shape, size_t axis,
                              const std::array<int64_t, 3>& window, double start, Function function) {
  const auto [size, stride, padding] = window;
  int64_t outer = 1, inner = 1;
  for (size_t i = 0; i < axis; ++i) outer *= shape[i];
  for (size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  const int64_t n = shape[axis], count = (n + 2 * padding - size) / stride + 1;
  std::vector<double> y(static_cast<size_t>(outer * count * inner), start);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t c = 0; c < count; ++c)
      for (int64_t i = std::max<int64_t>(0, c * stride - padding); i < std::min(n, c * stride - padding + size); ++i)
        for (int64_t j = 0; j < inner; ++j) {
          double& to = y[static_cast<size_t>((o * count + c) * inner + j)];
          to = function(to, x[static_cast<size_t>((o * n + i) * inner + j)]);
        }
  shape[axis] = count;
  return y;
}

void reduce_window(Call& call) {
  const Attrs& attrs = call.node.attrs;
  const auto &size = attrs.list("size"), &stride = attrs.list("stride"), &padding = attrs.list("padding");
  const bool max = attrs.text("kind") == "max";
  std::vector<int64_t> shape = call.in[0].shape;
  std::vector<double> x(call.in[0].data<float>(), call.in[0].data<float>() + call.in[0].elements());
  for (size_t i = 0; i < size.size(); ++i) {
    const size_t axis = shape.size() - size.size() + i;
    const std::array<int64_t, 3> window{size[i], stride[i], padding[i]};
    x = max ? pool_axis(x, shape, axis, window, -std::numeric_limits<double>::infinity(), greater)
            : pool_axis(x, shape, axis, window, 0.0, plus);
  }
  Tensor y = call.make();
  std::transform(x.begin(), x.end(), y.data<float>(), [](double v) { return static_cast<float>(v); });
}

void top_k(Call& call) {
  const int64_t k = call.node.attrs.integer("k"), n = call.in[0].last(), rows = call.in[0].rows();
  Tensor values = call.make(0), indices = call.make(1);
  std::vector<int32_t> order(static_cast<size_t>(n));
  for (int64_t row = 0; row < rows; ++row) {
    const float* x = call.in[0].data<float>() + row * n;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k, order.end(), [x](int32_t a, int32_t b) {
      if (std::isnan(x[a]) != std::isnan(x[b])) return std::isnan(x[a]);  // a NaN is not lost
      if (x[a] > x[b]) return true;
      return !(x[b] > x[a]) && a < b;
    });
    for (int64_t i = 0; i < k; ++i) {
      indices.data<int32_t>()[row * k + i] = order[static_cast<size_t>(i)];
      values.data<float>()[row * k + i] = x[order[static_cast<size_t>(i)]];
    }
  }
}

constexpr Entry kEntries[] = {
    {&op::reduce_sum, reduce_sum},
    {&op::reduce_max, reduce_max},
    {&op::reduce_window, reduce_window},
    {&op::top_k, top_k},
};

}  // namespace

std::span<const Entry> reduce_entries() { return kEntries; }

}  // namespace braid::oracle
