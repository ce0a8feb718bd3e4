// The selective scan of Mamba (arXiv:2312.00752), vectors along the state: h' = exp(dt·A)·h + dt·B·x, y = C·h' + D·x.

#include "backend/cpu/simd/isa.h"
#include "backend/cpu/simd/math.h"

namespace braid::cpu::BRAID_ISA {
namespace {

constexpr int kChannels = 4;  // channels whose chains of dependent steps overlap

/// `count` channels from c, one vector of states at a time; later vectors of states add to y.
template <int N>
void channels(const SelectiveScanWork& s, int64_t c, int64_t first, bool whole) {
  const int64_t left = s.state - first;
  const auto get = [&](const float* p) BRAID_FLATTEN { return whole ? load<F>(p) : load_part<F>(p, left); };
  F h[N], a[N];
  unroll<N>([&](auto i) BRAID_FLATTEN {
    h[i] = get(s.h + (c + i) * s.state + first);
    a[i] = get(s.a + (c + i) * s.state + first);
  });
  for (int64_t row = 0; row < s.rows; ++row) {
    const F b = get(s.b + row * s.state + first), cs = get(s.c + row * s.state + first);
    const float *x = s.x + row * s.channels + c, *dt = s.dt + row * s.channels + c;
    float* y = s.y + row * s.channels + c;
    F products[kChannels] = {};
    unroll<N>([&](auto i) BRAID_FLATTEN {
      h[i] = fma(exp(a[i] * splat(dt[i])), h[i], b * splat(dt[i] * x[i]));
      products[i] = h[i] * cs;
    });
    const F4 sums = fold_four(products[0], products[1], products[2], products[3]);
    for (int i = 0; i < N; ++i) y[i] = (first == 0 ? s.d[c + i] * x[i] : y[i]) + sums[i];
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

}  // namespace

void selective_scan(const SelectiveScanWork& s) {
  int64_t c = s.c_begin;
  for (; c + kChannels <= s.c_end; c += kChannels) {
    for (int64_t first = 0; first < s.state; first += kLanes) {
      channels<kChannels>(s, c, first, first + kLanes <= s.state);
    }
  }
  for (; c < s.c_end; ++c) {
    for (int64_t first = 0; first < s.state; first += kLanes) channels<1>(s, c, first, first + kLanes <= s.state);
  }
}

}  // namespace braid::cpu::BRAID_ISA
