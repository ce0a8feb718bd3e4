// Functions of a whole row: norms, softmax, sums, and the rotation of a head. Sums are taken in doubles, lane by lane.

#include "backend/cpu/simd/isa.h"
#include "backend/cpu/simd/math.h"

namespace braid::cpu::BRAID_ISA {
namespace {

/// f(i, load, store) for every vector of a row, the last one partial.
template <class Body>
BRAID_INLINE void each(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    body(
        i, [i](const float* p) BRAID_FLATTEN { return load<F>(p + i); },
        [i](float* p, F v) BRAID_FLATTEN { store(p + i, v); });
  }
  if (i < n) {
    const int64_t left = n - i;
    body(
        i, [i, left](const float* p) BRAID_FLATTEN { return load_part<F>(p + i, left); },
        [i, left](float* p, F v) BRAID_FLATTEN { store_part(p + i, v, left); });
  }
}
BRAID_INLINE Wide plus(Wide a, Wide b) { return {a.low + b.low, a.high + b.high}; }
BRAID_INLINE Wide square(Wide a) { return {a.low * a.low, a.high * a.high}; }

}  // namespace

float sum(const float* x, int64_t n) {
  Wide total{};
  each(n, [&](int64_t, auto get, auto) BRAID_FLATTEN { total = plus(total, widen(get(x))); });
  return static_cast<float>(fold(total));
}

float max(const float* x, int64_t n) {
  F best = splat(-__builtin_inff());
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) best = larger(best, load<F>(x + i));
  float result = fold_max(best);
  for (; i < n; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

void rms_norm(const float* x, const float* weight, float epsilon, float* y, int64_t n) {
  Wide total{};
  each(n, [&](int64_t, auto get, auto) BRAID_FLATTEN { total = plus(total, square(widen(get(x)))); });
  const double mean = fold(total) / static_cast<double>(n);
  const F factor = splat(static_cast<float>(1.0 / __builtin_sqrt(mean + static_cast<double>(epsilon))));
  each(n, [&](int64_t, auto get, auto put) BRAID_FLATTEN { put(y, get(x) * factor * get(weight)); });
}

void layer_norm(const float* x, const float* weight, const float* bias, float epsilon, float* y, int64_t n) {
  Wide total{};
  each(n, [&](int64_t, auto get, auto) BRAID_FLATTEN { total = plus(total, widen(get(x))); });
  const double mean = fold(total) / static_cast<double>(n);
  Wide squares{};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Wide v = widen(load<F>(x + i));
    squares = plus(squares, square({v.low - mean, v.high - mean}));
  }
  double variance = fold(squares);
  for (; i < n; ++i) variance += (x[i] - mean) * (x[i] - mean);
  variance /= static_cast<double>(n);
  const F factor = splat(static_cast<float>(1.0 / __builtin_sqrt(variance + static_cast<double>(epsilon))));
  each(n, [&](int64_t, auto get, auto put) BRAID_FLATTEN {
    const Wide v = widen(get(x));
    const F centred = narrow({v.low - mean, v.high - mean});
    const F scaled = centred * factor * get(weight);
    put(y, bias != nullptr ? scaled + get(bias) : scaled);
  });
}

void softmax(const float* x, float* y, int64_t n) {
  const float best = max(x, n);
  // A row of -inf alone has no largest element to subtract; it gives not-a-number, as the definition does.
  const F shift = splat(best);
  Wide total{};
  each(n, [&](int64_t, auto get, auto put) BRAID_FLATTEN { put(y, exp(get(x) - shift)); });
  each(n, [&](int64_t, auto get, auto) BRAID_FLATTEN { total = plus(total, widen(get(y))); });
  const F factor = splat(static_cast<float>(1.0 / fold(total)));
  each(n, [&](int64_t, auto get, auto put) BRAID_FLATTEN { put(y, get(y) * factor); });
}

void rope(const float* x, const float* cos, const float* sin, float* y, int64_t half) {
  each(half, [&](int64_t, auto get, auto put) BRAID_FLATTEN {
    const F a = get(x), b = get(x + half), c = get(cos), s = get(sin);
    put(y, a * c - b * s);
    put(y + half, b * c + a * s);
  });
}

}  // namespace braid::cpu::BRAID_ISA
