#pragma once
// Elementary functions of vectors, within 2 units in the last place of the exact result with fused multiply-add (4
// without). Minimax polynomials after argument reduction.

#include "backend/cpu/simd/simd.h"

namespace braid::cpu::BRAID_ISA {

/// c[0] x^n + … + c[n].
template <int N>
BRAID_INLINE F polynomial(F x, const float (&c)[N]) {
  F r = splat(c[0]);
  unroll<N - 1>([&](auto i) BRAID_FLATTEN { r = fma(r, x, splat(c[i + 1])); });
  return r;
}

/// 2^n · r for whole n in [-252, 252]: two factors, so that subnormal results round once.
BRAID_INLINE F scale_by_power(F r, I n) {
#if defined(__AVX512F__)
  return (F)_mm512_scalef_ps((__m512)r, (__m512)to_float(n));
#else
  const I half = n >> 1;
  return r * (F)((half + 127) << 23) * (F)((n - half + 127) << 23);
#endif
}

BRAID_INLINE F exp(F x) {
  const F bounded =
      smaller(splat(128), larger(splat(-150), x));  // not-a-number goes through (it is the second operand)
  const F z = fma(bounded, splat(1.442695f), splat(12582912.0f));
  const I n = (I)z - 0x4b400000;
  const F whole = z - 12582912.0f;
  F f = fma(whole, splat(-6.93145752e-1f), bounded);
  f = fma(whole, splat(-1.42860677e-6f), f);
  const float c[] = {1.37805939e-3f, 8.37312452e-3f, 4.16695364e-2f, 1.66664720e-1f, 4.99999851e-1f, 1.0f, 1.0f};
  return scale_by_power(polynomial(f, c), n);
}

BRAID_INLINE F log(F x) {
  const I tiny = x < 1.17549435e-38f;
  const F a = tiny ? x * 8388608.0f : x;
  // a = m · 2^e with m in [2/3, 4/3)
  const I e = ((I)a - 0x3f2aaaab) & (int32_t)0xff800000;
  const F m = (F)((I)a - e) - 1.0f;
  const F i = fma(to_float(e), splat(1.19209290e-7f), tiny ? splat(-23.0f) : splat(0.0f));
  const F s = m * m;
  F r = splat(-0.130310059f), t = splat(0.140869141f);
  r = fma(r, s, splat(-0.121484190f));
  t = fma(t, s, splat(0.139814854f));
  r = fma(r, s, splat(-0.166846052f));
  t = fma(t, s, splat(0.200120345f));
  r = fma(r, s, splat(-0.249996200f));
  r = fma(t, m, r);
  r = fma(r, m, splat(0.333331972f));
  r = fma(r, m, splat(-0.5f));
  r = fma(r, s, m);
  r = fma(i, splat(0.693147182f), r);
  const F infinity = splat(__builtin_inff());
  r = a < infinity ? r : a + a;  // infinity and not-a-number
  r = x < 0.0f ? splat(__builtin_nanf("")) : r;
  return x == 0.0f ? -infinity : r;
}

/// log(1 + z) for z in [0, 1].
BRAID_INLINE F log1p_unit(F z) {
  const F u = 1.0f + z;
  return log(u) + (z - (u - 1.0f)) / u;
}

BRAID_INLINE F tanh(F x) {
  const F a = absolute(x), s = x * x;
  const float c[] = {-5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f, -3.33332819422e-1f};
  const F small = fma(polynomial(s, c) * s, x, x);
  const F large = with_sign(1.0f - 2.0f / (exp(a + a) + 1.0f), x);
  return a < 0.625f ? small : (x == x ? large : x);
}

BRAID_INLINE F erf(F x) {
  const F t = absolute(x), s = x * x;
  F r = fma(splat(-1.72853470e-5f), t, splat(3.83197126e-4f));
  const F u = fma(splat(-3.88396438e-3f), t, splat(2.42546219e-2f));
  r = fma(r, s, u);
  r = fma(r, t, splat(-1.06777877e-1f));
  r = fma(r, t, splat(-6.34846687e-1f));
  r = fma(r, t, splat(-1.28717512e-1f));
  r = fma(r, t, -t);
  // Beyond 4 the result is 1 to the last bit; the polynomial turns upwards only far out.
  const F large = t > 4.0f ? splat(1.0f) : 1.0f - exp(r);
  const float c[] = {-5.96761703e-4f, 4.99119423e-3f, -2.67681349e-2f, 1.12819925e-1f, -3.76125336e-1f, 1.28379166e-1f};
  const F small = fma(polynomial(s, c), x, x);
  return t > 0.927734375f ? with_sign(large, x) : (x == x ? small : x);
}

/// 1 / (1 + exp(-x)).
BRAID_INLINE F sigmoid(F x) { return 1.0f / (1.0f + exp(-x)); }

/// x = n · π/2 + r with |r| ≤ π/4, in doubles: exact enough for |x| up to 10⁶.
struct Quadrant {
  F r;
  I n;
};
BRAID_INLINE D reduce_half(D x, D* n) {
  const double kRound = 6755399441055744.0;  // 1.5 · 2⁵²
  *n = (x * 0.63661977236758134 + kRound) - kRound;
  return (x - *n * 1.5707963267341256) -
         *n * 6.0771005065061922e-11;  // the first part has 33 bits: its product is exact
}
BRAID_INLINE Quadrant reduce_quadrant(F x) {
  const Wide w = widen(x);
  Wide n, r;
  r.low = reduce_half(w.low, &n.low);
  r.high = reduce_half(w.high, &n.high);
  // The quadrant modulo 4 is small even where n is not.
  const F turns = narrow({n.low - 4.0 * ((n.low * 0.25 + 6755399441055744.0) - 6755399441055744.0),
                          n.high - 4.0 * ((n.high * 0.25 + 6755399441055744.0) - 6755399441055744.0)});
  return {narrow(r), to_int_small(turns)};
}
/// sin of n quarter turns and r.
BRAID_INLINE F sin_quadrant(F r, I n) {
  const F s = r * r;
  const float cs[] = {2.86567956e-6f, -1.98559923e-4f, 8.33338592e-3f, -1.66666672e-1f};
  const float cc[] = {2.44677067e-5f, -1.38877297e-3f, 4.16666567e-2f, -5.0e-1f, 1.0f};
  const F sine = fma(polynomial(s, cs), s * r, r);
  const F cosine = polynomial(s, cc);
  const F y = (n & 1) != 0 ? cosine : sine;
  return (F)((U)y ^ (U)((n & 2) << 30));
}
BRAID_INLINE F sin(F x) {
  const Quadrant q = reduce_quadrant(x);
  const F y = sin_quadrant(q.r, q.n);
  return absolute(x) < __builtin_inff() ? (x == 0.0f ? x : y) : x - x;
}
BRAID_INLINE F cos(F x) {
  const Quadrant q = reduce_quadrant(x);
  return absolute(x) < __builtin_inff() ? sin_quadrant(q.r, q.n + 1) : x - x;
}

}  // namespace braid::cpu::BRAID_ISA
