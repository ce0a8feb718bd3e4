// The selective scan of Mamba (arXiv:2312.00752), vectors along the state: h' = exp(dt·A)·h + dt·B·x, y = C·h' + D·x.
// The gated delta rule (arXiv:2412.06464), vectors along the values: S = exp(g)·S; S += k ⊗ β·(v - Sᵀk); y = Sᵀq.

#include "backend/cpu/simd/isa.h"
#include "backend/cpu/simd/math.h"

namespace braid::cpu::BRAID_ISA {
namespace {

constexpr int kChannels = 4;  // channels whose chains of dependent steps overlap

/// N channels from c, of one group, a vector of states at a time; later vectors of states add to y. kShared: all of one
/// head, whose state decays as one.
template <int N, bool kShared>
void channels(const SelectiveScanWork& s, int64_t c, int64_t first) {
  const int64_t left = s.state - first, width = s.channels / s.heads, wide = s.groups * s.state;
  const bool whole = left >= kLanes;
  const auto get = [&](const float* p) BRAID_FLATTEN { return whole ? load<F>(p) : load_part<F>(p, left); };
  const int64_t group = c / (s.channels / s.groups) * s.state + first;
  int64_t head[N];
  F h[N], a[N];
  unroll<N>([&](auto i) BRAID_FLATTEN {
    head[i] = (c + i) / width;
    h[i] = get(s.h + (c + i) * s.state + first);
    a[i] = kShared ? splat(s.a[head[0]]) : get(s.a + head[i] * s.state + first);
  });
  for (int64_t row = 0; row < s.rows; ++row) {
    const F b = get(s.b + row * wide + group), cs = get(s.c + row * wide + group);
    const float *x = s.x + row * s.channels + c, *dt = s.dt + row * s.heads;
    float* y = s.y + row * s.channels + c;
    const F decay = kShared ? exp(a[0] * splat(dt[head[0]])) : F{};
    F products[kChannels] = {};
    unroll<N>([&](auto i) BRAID_FLATTEN {
      const float step = dt[head[i]];
      h[i] = fma(kShared ? decay : exp(a[i] * splat(step)), h[i], b * splat(step * x[i]));
      products[i] = h[i] * cs;
    });
    const F4 sums = fold_four(products[0], products[1], products[2], products[3]);
    for (int i = 0; i < N; ++i) y[i] = (first == 0 ? s.d[head[i]] * x[i] : y[i]) + sums[i];
  }
  unroll<N>([&](auto i) BRAID_FLATTEN {
    float* to = s.h + (c + i) * s.state + first;
    if (whole) {
      store(to, h[i]);
    } else {
      store_part(to, h[i], left);
    }
  });
}

/// Channels [c, end): of one head if kShared, else of one group.
template <bool kShared>
void stretch(const SelectiveScanWork& s, int64_t c, int64_t end) {
  for (; c + kChannels <= end; c += kChannels)
    for (int64_t first = 0; first < s.state; first += kLanes) channels<kChannels, kShared>(s, c, first);
  for (; c < end; ++c)
    for (int64_t first = 0; first < s.state; first += kLanes) channels<1, kShared>(s, c, first);
}

/// Values [first, first + kLanes) of a head's matrix, row after row: what it recalls under the key, then its correction
/// and what it gives to the query in one pass.
void delta_values(const GatedDeltaWork& w, int64_t first) {
  constexpr int kSums = 4;  // chains of additions that overlap
  const int64_t left = w.value_dim - first, keys = w.heads / w.per_key * w.key_dim;
  const bool whole = left >= kLanes;
  const auto get = [&](const float* p) BRAID_FLATTEN { return whole ? load<F>(p) : load_part<F>(p, left); };
  const auto put = [&](float* p, F x) BRAID_FLATTEN {
    if (whole) {
      store(p, x);
    } else {
      store_part(p, x, left);
    }
  };
  for (int64_t row = 0; row < w.rows; ++row) {
    const float *q = w.q + row * keys, *k = w.k + row * keys;
    const int64_t at = row * w.heads * w.value_dim + first;
    const F fade = exp(splat(w.g[row * w.heads]));
    F recalled[kSums] = {}, given[kSums] = {};
    int64_t i = 0;
    for (; i + kSums <= w.key_dim; i += kSums)
      unroll<kSums>([&](auto j) BRAID_FLATTEN {
        recalled[j] = fma(get(w.s + (i + j) * w.value_dim + first), splat(k[i + j]), recalled[j]);
      });
    for (; i < w.key_dim; ++i) recalled[0] = fma(get(w.s + i * w.value_dim + first), splat(k[i]), recalled[0]);
    const F all = (recalled[0] + recalled[1]) + (recalled[2] + recalled[3]);
    const F wrong = (get(w.v + at) - all * fade) * splat(w.beta[row * w.heads]);
    const auto correct = [&](int64_t key, F& sum) BRAID_FLATTEN {
      float* s = w.s + key * w.value_dim + first;
      const F after = fma(wrong, splat(k[key]), get(s) * fade);
      put(s, after);
      sum = fma(after, splat(q[key]), sum);
    };
    for (i = 0; i + kSums <= w.key_dim; i += kSums)
      unroll<kSums>([&](auto j) BRAID_FLATTEN { correct(i + j, given[j]); });
    for (; i < w.key_dim; ++i) correct(i, given[0]);
    put(w.y + at, (given[0] + given[1]) + (given[2] + given[3]));
  }
}

}  // namespace

void gated_delta(const GatedDeltaWork& w) {
  for (int64_t first = 0; first < w.value_dim; first += kLanes) delta_values(w, first);
}

void selective_scan(const SelectiveScanWork& s) {
  const bool shared = s.decays == 1;
  const int64_t part = s.channels / (shared ? s.heads : s.groups);
  for (int64_t c = s.c_begin; c < s.c_end;) {
    const int64_t end = lesser((c / part + 1) * part, s.c_end);
    shared ? stretch<true>(s, c, end) : stretch<false>(s, c, end);
    c = end;
  }
}

}  // namespace braid::cpu::BRAID_ISA
