// The selective scan of Mamba (arXiv:2312.00752), vectors along the state: h' = exp(dt·A)·h + dt·B·x, y = C·h' + D·x.

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

}  // namespace

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
