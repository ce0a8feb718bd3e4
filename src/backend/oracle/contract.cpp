#include <algorithm>
#include <vector>

#include "backend/oracle/program.h"
#include "core/error.h"
#include "formats/formats.h"
#include "ops/ops.h"

namespace braid::oracle {
namespace {

using Doubles = std::vector<double>;

/// Rows [begin, end) of a tensor of any format.
Doubles rows_of(const Tensor& x, int64_t begin, int64_t end) {
  const auto k = static_cast<size_t>(x.last());
  Doubles out(static_cast<size_t>(end - begin) * k);
  std::vector<float> row(k);
  for (int64_t r = begin; r < end; ++r) {
    decode_row(x, r, row);
    std::copy(row.begin(), row.end(), out.begin() + static_cast<ptrdiff_t>(static_cast<size_t>(r - begin) * k));
  }
  return out;
}

/// In eight partial sums: the same order for every row, and the compiler finds vectors in it.
double dot(const double* a, const double* b, int64_t k) {
  double sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= k; i += 8)
    for (int64_t j = 0; j < 8; ++j) sums[j] += a[i + j] * b[i + j];
  for (int64_t j = 0; i < k; ++i, ++j) sums[j] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

/// y (m, n) = x (m, k) · wᵀ for rows [w_row, w_row + n) of w.
void multiply(const double* x, int64_t m, const Tensor& w, int64_t w_row, int64_t n, float* y) {
  const int64_t k = w.last();
  for_ranges(n, static_cast<double>(m * k), [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; ++j) {
      const Doubles row = rows_of(w, w_row + j, w_row + j + 1);
      for (int64_t i = 0; i < m; ++i) y[i * n + j] = static_cast<float>(dot(x + i * k, row.data(), k));
    }
  });
}

void grouped(Call& call) {
  const Tensor &x = call.in[0], &offsets = call.in[1];
  Tensor y = call.make();
  const int64_t n = y.last(), rows = x.shape[0];
  const int32_t* offset = offsets.data<int32_t>();
  for (size_t e = 0; e + 2 < call.in.size(); ++e) {
    if (offset[e] < 0 || offset[e] > offset[e + 1] || offset[e + 1] > rows)
      throw Error("group " + std::to_string(e) + " is not within the rows");
    const Doubles some = rows_of(x, offset[e], offset[e + 1]);
    multiply(some.data(), offset[e + 1] - offset[e], call.in[e + 2], 0, n, y.data<float>() + offset[e] * n);
  }
}

void contract(Call& call) {
  if (call.node.attrs.integer("grouped") != 0) return grouped(call);
  const Tensor& x = call.in[0];
  for (size_t i = 1; i < call.in.size(); ++i) {
    const Tensor& w = call.in[i];
    Tensor y = call.make(i - 1);
    const int64_t n = y.last();
    if (w.shape.size() == 2) {
      const Doubles all = rows_of(x, 0, x.rows());
      multiply(all.data(), x.rows(), w, 0, n, y.data<float>());
      continue;
    }
    const int64_t m = x.shape[x.shape.size() - 2], batches = m == 0 ? 0 : x.rows() / m;
    for_ranges(batches, static_cast<double>(m * n * x.last()), [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        const Doubles some = rows_of(x, b * m, (b + 1) * m), weights = rows_of(w, b * n, (b + 1) * n);
        const int64_t k = x.last();
        for (int64_t r = 0; r < m; ++r)
          for (int64_t j = 0; j < n; ++j)
            y.data<float>()[(b * m + r) * n + j] =
                static_cast<float>(dot(&some[static_cast<size_t>(r * k)], &weights[static_cast<size_t>(j * k)], k));
      }
    });
  }
}

/// Sizes of a convolution as two-dimensional: one dimension is one row.
struct Plane {
  int64_t height, width;
  explicit Plane(const std::vector<int64_t>& sizes, size_t first, int64_t missing)
      : height(sizes.size() - first == 2 ? sizes[first] : missing), width(sizes.back()) {}
};

void conv(Call& call) {
  const Attrs& attrs = call.node.attrs;
  const Tensor &x = call.in[0], &w = call.in[1];
  Tensor y = call.make();
  const Plane in(x.shape, 2, 1), kernel(w.shape, 2, 1), out(y.shape, 2, 1);
  const Plane stride(attrs.list("stride"), 0, 1), padding(attrs.list("padding"), 0, 0);
  const int64_t channels = x.shape[1], outs = w.shape[0], groups = attrs.integer("groups");
  const int64_t group_channels = channels / groups, taps = kernel.height * kernel.width;
  const Doubles weights = rows_of(w.reshaped({outs * group_channels, taps}), 0, outs * group_channels);
  const float* from = x.data<float>();

  auto output_plane = [&](int64_t batch, int64_t o, Doubles& sums) {
    std::fill(sums.begin(), sums.end(), 0.0);
    const int64_t first = o / (outs / groups) * group_channels;
    for (int64_t c = 0; c < group_channels; ++c)
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t ky = tap / kernel.width - padding.height, kx = tap % kernel.width - padding.width;
        const double weight = weights[static_cast<size_t>((o * group_channels + c) * taps + tap)];
        const float* plane = from + (batch * channels + first + c) * in.height * in.width;
        for (int64_t row = 0; row < out.height; ++row) {
          const int64_t iy = row * stride.height + ky;
          if (iy < 0 || iy >= in.height) continue;
          double* to = &sums[static_cast<size_t>(row * out.width)];
          for (int64_t column = 0; column < out.width; ++column) {
            const int64_t ix = column * stride.width + kx;
            if (ix >= 0 && ix < in.width) to[column] += weight * plane[iy * in.width + ix];
          }
        }
      }
  };
  const int64_t area = out.height * out.width;
  for_ranges(x.shape[0] * outs, static_cast<double>(group_channels * taps * area), [&](int64_t begin, int64_t end) {
    Doubles sums(static_cast<size_t>(area));
    for (int64_t i = begin; i < end; ++i) {
      output_plane(i / outs, i % outs, sums);
      std::transform(sums.begin(), sums.end(), y.data<float>() + i * area,
                     [](double v) { return static_cast<float>(v); });
    }
  });
}

constexpr Entry kEntries[] = {{&op::contract, contract}, {&op::conv, conv}};

}  // namespace

std::span<const Entry> contract_entries() { return kEntries; }

}  // namespace braid::oracle
