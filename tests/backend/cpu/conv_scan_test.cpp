#include "backend/cpu/every_table.h"

namespace braid::cpu {
namespace {

class ConvolutionTest : public EveryTable {};
BRAID_EVERY_TABLE(ConvolutionTest);
class SelectiveScanTest : public EveryTable {};
BRAID_EVERY_TABLE(SelectiveScanTest);
class GatedDeltaTest : public EveryTable {};
BRAID_EVERY_TABLE(GatedDeltaTest);

struct Image {
  int64_t channels, height, width, out, kh, kw, groups, stride_h, stride_w, pad_h, pad_w;
};
const Image kImages[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0},    {3, 30, 29, 8, 7, 7, 1, 2, 2, 3, 3},   {16, 7, 7, 20, 3, 3, 1, 1, 1, 1, 1},
    {8, 14, 14, 13, 1, 1, 1, 2, 2, 0, 0}, {12, 9, 21, 12, 3, 3, 12, 1, 1, 1, 1}, {12, 9, 21, 24, 3, 5, 4, 2, 1, 1, 2},
    {80, 1, 101, 9, 1, 3, 1, 1, 1, 0, 1}, {20, 1, 100, 7, 1, 3, 1, 1, 2, 0, 1},  {5, 3, 2, 4, 3, 3, 1, 1, 1, 2, 4},
};

TEST_P(ConvolutionTest, EqualsTheDefinitionHoweverOutputsAreCut) {
  for (const Image& m : kImages) {
    const int64_t oh = (m.height + 2 * m.pad_h - m.kh) / m.stride_h + 1,
                  ow = (m.width + 2 * m.pad_w - m.kw) / m.stride_w + 1;
    const int64_t in = m.channels / m.groups, taps = in * m.kh * m.kw;
    const std::vector<float> x = random_floats(m.channels * m.height * m.width, 1), w = random_floats(m.out * taps, 2);
    std::vector<float> y(static_cast<size_t>(m.out * oh * ow), -99.0f);
    Convolution c{.x = x.data(),
                  .w = w.data(),
                  .y = y.data(),
                  .channels = m.channels,
                  .height = m.height,
                  .width = m.width,
                  .out = m.out,
                  .kh = m.kh,
                  .kw = m.kw,
                  .oh = oh,
                  .ow = ow,
                  .groups = m.groups,
                  .stride_h = m.stride_h,
                  .stride_w = m.stride_w,
                  .pad_h = m.pad_h,
                  .pad_w = m.pad_w,
                  .out_begin = 0,
                  .out_end = m.out,
                  .row_begin = 0,
                  .row_end = m.height == 1 ? ow : oh};
    kernels().conv(c);
    for (int64_t o = 0; o < m.out; ++o) {
      for (int64_t p = 0; p < oh * ow; ++p) {
        double exact = 0, magnitude = 0;
        for (int64_t tap = 0; tap < taps; ++tap) {
          const int64_t iy = p / ow * m.stride_h - m.pad_h + tap / m.kw % m.kh,
                        ix = p % ow * m.stride_w - m.pad_w + tap % m.kw;
          if (iy < 0 || ix < 0 || iy >= m.height || ix >= m.width) continue;
          const int64_t channel = o / (m.out / m.groups) * in + tap / (m.kh * m.kw);
          const double term = static_cast<double>(x[(channel * m.height + iy) * m.width + ix]) * w[o * taps + tap];
          exact += term;
          magnitude += std::fabs(term);
        }
        ASSERT_NEAR(y[o * oh * ow + p], exact, 2 * kEpsilon * std::sqrt(static_cast<double>(taps)) * magnitude + 1e-12)
            << m.channels << " x " << m.height << " x " << m.width << ", output " << o << ", " << p;
      }
    }
    std::vector<float> cut(y.size(), -99.0f);
    c.y = cut.data();
    const int64_t rows = c.row_end, middle = m.out / 2;
    for (const auto& [out_begin, out_end] : {std::pair{int64_t{0}, middle}, std::pair{middle, m.out}}) {
      for (int64_t row = 0; row < rows; row += 5) {
        c.out_begin = out_begin;
        c.out_end = out_end;
        c.row_begin = row;
        c.row_end = std::min(rows, row + 5);
        kernels().conv(c);
      }
    }
    EXPECT_TRUE(same_bits(cut.data(), y.data(), static_cast<int64_t>(y.size())));
  }
}

/// Mamba's (heads of one channel), Mamba-2's (a head's state decays as one), and what lies between.
struct Scan {
  int64_t channels, heads, groups, state, decays;
};
const Scan kScans[] = {{11, 11, 1, 1, 1},   {11, 11, 1, 5, 5},  {11, 11, 1, 16, 16}, {11, 11, 1, 19, 19},
                       {11, 11, 1, 48, 48}, {12, 4, 1, 16, 16}, {12, 4, 2, 19, 19},  {30, 6, 2, 5, 1},
                       {28, 4, 4, 33, 1},   {16, 2, 1, 128, 1}, {6, 6, 3, 16, 1}};

TEST_P(SelectiveScanTest, EqualsTheRecurrenceAndGoesOnWhereItStopped) {
  for (const auto& [channels, heads, groups, state, decays] : kScans) {
    const int64_t rows = 9, wide = groups * state;
    const std::vector<float> x = random_floats(rows * channels, 1), dt = random_floats(rows * heads, 2, 0.001f, 0.5f);
    const std::vector<float> a = random_floats(heads * decays, 3, -8, -0.1f), b = random_floats(rows * wide, 4);
    const std::vector<float> c = random_floats(rows * wide, 5), d = random_floats(heads, 6);
    const std::vector<float> start = random_floats(channels * state, 7);
    std::vector<float> h = start, y(static_cast<size_t>(rows * channels), -99.0f);
    SelectiveScanWork work{.x = x.data(),
                           .dt = dt.data(),
                           .a = a.data(),
                           .b = b.data(),
                           .c = c.data(),
                           .d = d.data(),
                           .h = h.data(),
                           .y = y.data(),
                           .rows = rows,
                           .channels = channels,
                           .heads = heads,
                           .groups = groups,
                           .state = state,
                           .decays = decays,
                           .c_begin = 0,
                           .c_end = channels};
    kernels().selective_scan(work);
    for (int64_t ch = 0; ch < channels; ++ch) {
      const int64_t head = ch / (channels / heads), group = ch / (channels / groups);
      std::vector<double> exact(start.begin() + ch * state, start.begin() + (ch + 1) * state);
      for (int64_t r = 0; r < rows; ++r) {
        double sum = 0, magnitude = 0;
        for (int64_t s = 0; s < state; ++s) {
          const double step = dt[r * heads + head], decay = a[head * decays + s % decays];
          const int64_t at = r * wide + group * state + s;
          exact[s] = std::exp(step * decay) * exact[s] + step * b[at] * x[r * channels + ch];
          sum += exact[s] * c[at];
          magnitude += std::fabs(exact[s] * c[at]);
        }
        sum += static_cast<double>(d[head]) * x[r * channels + ch];
        // Each of at most nine steps rounds the exponent's argument (≤ 4), the exponential, and a product and a sum.
        ASSERT_NEAR(y[r * channels + ch], sum,
                    2 * kEpsilon * (rows * 12 + std::sqrt(static_cast<double>(state))) * (magnitude + 1))
            << channels << " channels, " << heads << " heads, state " << state << ", channel " << ch << ", row " << r;
      }
      for (int64_t s = 0; s < state; ++s) EXPECT_NEAR(h[ch * state + s], exact[s], 2 * kEpsilon * rows * 12);
    }
    // In two steps, and in two ranges of channels: the same bits.
    std::vector<float> again = start, cut(y.size(), -99.0f);
    for (const auto& [first, last] : {std::pair{int64_t{0}, int64_t{4}}, std::pair{int64_t{4}, rows}}) {
      for (const auto& [c0, c1] : {std::pair{int64_t{0}, int64_t{3}}, std::pair{int64_t{3}, channels}}) {
        SelectiveScanWork part = work;
        part.x += first * channels;
        part.dt += first * heads;
        part.b += first * wide;
        part.c += first * wide;
        part.y = cut.data() + first * channels;
        part.h = again.data();
        part.rows = last - first;
        part.c_begin = c0;
        part.c_end = c1;
        kernels().selective_scan(part);
      }
    }
    EXPECT_TRUE(same_bits(cut.data(), y.data(), rows * channels));
    EXPECT_TRUE(same_bits(again.data(), h.data(), channels * state));
  }
}

TEST_P(GatedDeltaTest, EqualsTheRuleAndGoesOnWhereItStopped) {
  for (const auto& [key_dim, value_dim] : {std::pair<int64_t, int64_t>{1, 1}, {5, 19}, {16, 16}, {30, 37}}) {
    const int64_t rows = 7, heads = 4, per_key = 2, head = 3, keys = heads / per_key * key_dim, key = key_dim;
    const float reach = 1 / std::sqrt(static_cast<float>(key_dim));  // keys are no longer than one
    const std::vector<float> q = random_floats(rows * keys, 1), k = random_floats(rows * keys, 2, -reach, reach);
    const std::vector<float> v = random_floats(rows * heads * value_dim, 3), g = random_floats(rows * heads, 4, -2, 0);
    const std::vector<float> beta = random_floats(rows * heads, 5, 0, 1), start = random_floats(key_dim * value_dim, 6);
    std::vector<float> s = start, y(v.size(), -99.0f);
    GatedDeltaWork work{.q = q.data() + key,
                        .k = k.data() + key,
                        .v = v.data() + head * value_dim,
                        .g = g.data() + head,
                        .beta = beta.data() + head,
                        .s = s.data(),
                        .y = y.data() + head * value_dim,
                        .rows = rows,
                        .heads = heads,
                        .per_key = per_key,
                        .key_dim = key_dim,
                        .value_dim = value_dim};
    kernels().gated_delta(work);
    for (int64_t c = 0; c < value_dim; ++c) {
      std::vector<double> exact;
      for (int64_t i = 0; i < key_dim; ++i) exact.push_back(start[i * value_dim + c]);
      double magnitude = 1;
      for (int64_t r = 0; r < rows; ++r) {
        double recalled = 0, given = 0;
        for (int64_t i = 0; i < key_dim; ++i) {
          exact[i] *= std::exp(static_cast<double>(work.g[r * heads]));
          recalled += exact[i] * work.k[r * keys + i];
        }
        const double wrong = (work.v[r * heads * value_dim + c] - recalled) * work.beta[r * heads];
        for (int64_t i = 0; i < key_dim; ++i) {
          exact[i] += wrong * work.k[r * keys + i];
          given += exact[i] * work.q[r * keys + i];
          magnitude += std::fabs(exact[i] * work.q[r * keys + i]) + std::fabs(exact[i]);
        }
        // Each row rounds an exponential and a few products and sums per element, and two sums over the keys.
        ASSERT_NEAR(work.y[r * heads * value_dim + c], given,
                    2 * kEpsilon * (8 + 2 * std::sqrt(static_cast<double>(key_dim))) * magnitude)
            << key_dim << " x " << value_dim << ", row " << r << ", value " << c;
      }
    }
    std::vector<float> again = start, cut(y.size(), -99.0f);
    for (const auto& [first, last] : {std::pair{int64_t{0}, int64_t{4}}, std::pair{int64_t{4}, rows}}) {
      GatedDeltaWork part = work;
      part.q += first * keys;
      part.k += first * keys;
      part.v += first * heads * value_dim;
      part.g += first * heads;
      part.beta += first * heads;
      part.s = again.data();
      part.y = cut.data() + (first * heads + head) * value_dim;
      part.rows = last - first;
      kernels().gated_delta(part);
    }
    EXPECT_TRUE(same_bits(cut.data(), y.data(), static_cast<int64_t>(y.size())));
    EXPECT_TRUE(same_bits(again.data(), s.data(), key_dim * value_dim));
  }
}

}  // namespace
}  // namespace braid::cpu
