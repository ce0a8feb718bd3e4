// One element at a time: functions of one and of two vectors. y may be x.

#include "backend/cpu/simd/isa.h"
#include "backend/cpu/simd/math.h"

namespace braid::cpu::BRAID_ISA {
namespace {

template <class Op>
BRAID_INLINE void map(const float* x, float* y, int64_t n, Op op) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, op(load<F>(x + i)));
  if (i < n) store_part(y + i, op(load_part<F>(x + i, n - i)), n - i);
}
template <class Op>
BRAID_INLINE void map(const float* a, const float* b, float* y, int64_t n, Op op) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, op(load<F>(a + i), load<F>(b + i)));
  if (i < n) store_part(y + i, op(load_part<F>(a + i, n - i), load_part<F>(b + i, n - i)), n - i);
}

BRAID_INLINE F of_neg(F x) { return -x; }
BRAID_INLINE F of_exp(F x) { return exp(x); }
BRAID_INLINE F of_log(F x) { return log(x); }
BRAID_INLINE F of_sqrt(F x) { return square_root(x); }
BRAID_INLINE F of_rsqrt(F x) { return 1.0f / square_root(x); }
BRAID_INLINE F of_tanh(F x) { return tanh(x); }
BRAID_INLINE F of_erf(F x) { return erf(x); }
BRAID_INLINE F of_sin(F x) { return sin(x); }
BRAID_INLINE F of_cos(F x) { return cos(x); }
BRAID_INLINE F of_sigmoid(F x) { return sigmoid(x); }
BRAID_INLINE F of_silu(F x) { return x / (1.0f + exp(-x)); }
BRAID_INLINE F of_gelu(F x) { return x * 0.5f * (1.0f + erf(x * 0.70710678118654752f)); }
/// x · (1 + tanh(u)) / 2 = x / (1 + exp(-2u)) with u = √(2/π) (x + 0.044715 x³).
BRAID_INLINE F of_gelu_tanh(F x) {
  const F u2 = x * fma(x * x, splat(-2 * 0.79788456080286536f * 0.044715f), splat(-2 * 0.79788456080286536f));
  return x / (1.0f + exp(u2));
}
BRAID_INLINE F of_relu(F x) { return larger(F{}, x); }
/// log(1 + exp(x)), x itself above 20.
BRAID_INLINE F of_softplus(F x) { return x > 20.0f ? x : larger(F{}, x) + log1p_unit(exp(-absolute(x))); }
BRAID_INLINE F of_copy(F x) { return x; }

BRAID_INLINE F of_add(F a, F b) { return a + b; }
BRAID_INLINE F of_sub(F a, F b) { return a - b; }
BRAID_INLINE F of_mul(F a, F b) { return a * b; }
BRAID_INLINE F of_div(F a, F b) { return a / b; }
// Not-a-number in either operand stays.
BRAID_INLINE F of_maximum(F a, F b) { return a == a ? larger(a, b) : a; }
BRAID_INLINE F of_minimum(F a, F b) { return a == a ? smaller(a, b) : a; }

}  // namespace

#define BRAID_DEFINE(name)                                        \
  void unary_##name(const float* x, float* y, int64_t n) {        \
    map(x, y, n, [](F v) BRAID_FLATTEN { return of_##name(v); }); \
  }
BRAID_UNARY(BRAID_DEFINE)
#undef BRAID_DEFINE

#define BRAID_DEFINE(name)                                                      \
  void binary_##name(const float* a, const float* b, float* y, int64_t n) {     \
    map(a, b, y, n, [](F u, F v) BRAID_FLATTEN { return of_##name(u, v); });    \
  }                                                                             \
  void binary_scalar_##name(const float* a, float b, float* y, int64_t n) {     \
    const F second = splat(b);                                                  \
    map(a, y, n, [second](F v) BRAID_FLATTEN { return of_##name(v, second); }); \
  }
BRAID_BINARY(BRAID_DEFINE)
#undef BRAID_DEFINE

void silu_mul(const float* gate, const float* up, float* y, int64_t n) {
  map(gate, up, y, n, [](F g, F u) BRAID_FLATTEN { return of_silu(g) * u; });
}

}  // namespace braid::cpu::BRAID_ISA
