#pragma once
// Vectors as wide as the instruction set that this source is compiled for: GCC vector extensions, intrinsics only where
// the extensions have no word for it. Everything here has internal linkage and uses no library template: a weak symbol
// compiled with AVX-512 must never be the one that the linker keeps for the baseline.

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define BRAID_INLINE static inline __attribute__((always_inline))
// On a lambda, after its parameters.
#define BRAID_FLATTEN __attribute__((always_inline))

namespace braid::cpu::BRAID_ISA {

#if defined(__AVX512F__)
#define BRAID_LANES 16
#elif defined(__AVX2__)
#define BRAID_LANES 8
#else
#define BRAID_LANES 4
#endif
constexpr int kLanes = BRAID_LANES;
// 16 vector registers leave room for half the accumulators that 32 do.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr bool kManyRegisters = true;
#else
constexpr bool kManyRegisters = false;
#endif

typedef float F __attribute__((vector_size(4 * BRAID_LANES)));
typedef int32_t I __attribute__((vector_size(4 * BRAID_LANES)));
typedef uint32_t U __attribute__((vector_size(4 * BRAID_LANES)));
typedef uint16_t H __attribute__((vector_size(2 * BRAID_LANES)));   // kLanes 16-bit elements
typedef int8_t B __attribute__((vector_size(BRAID_LANES)));         // kLanes 8-bit elements
typedef double D __attribute__((vector_size(4 * BRAID_LANES)));     // kLanes / 2 doubles
typedef int64_t L __attribute__((vector_size(4 * BRAID_LANES)));    // kLanes / 2 integers
typedef float FHalf __attribute__((vector_size(2 * BRAID_LANES)));  // kLanes / 2 floats
typedef float F4 __attribute__((vector_size(16)));
typedef float F8 __attribute__((vector_size(32)));

// ---- compile-time loops: f(Index<0>{}) … f(Index<N - 1>{}), so that arrays of vectors become registers
template <int N>
struct Index {
  static constexpr int value = N;
  constexpr operator int() const { return N; }
};
template <int N, int I0 = 0, class Body>
BRAID_INLINE void unroll(Body&& body) {
  if constexpr (I0 < N) {
    body(Index<I0>{});
    unroll<N, I0 + 1>(body);
  }
}

BRAID_INLINE int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }

// ---- loads and stores, of any alignment
template <class V>
BRAID_INLINE V load(const void* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V>
BRAID_INLINE void store(void* p, V v) {
  __builtin_memcpy(p, &v, sizeof v);
}
/// The first n < kLanes elements of sizeof(V) / kLanes bytes; the others are zero.
template <class V>
BRAID_INLINE V load_part(const void* p, int64_t n) {
#if defined(__AVX512F__)
  const uint32_t mask = (1u << n) - 1;
  if constexpr (sizeof(V) == 64) return (V)_mm512_maskz_loadu_epi32(static_cast<__mmask16>(mask), p);
  if constexpr (sizeof(V) == 32) return (V)_mm256_maskz_loadu_epi16(static_cast<__mmask16>(mask), p);
#endif
  constexpr size_t kBytes = sizeof(V) / kLanes;
  V v{};
  char bytes[sizeof(V)] = {};
  for (size_t i = 0; i < static_cast<size_t>(n) * kBytes; ++i) bytes[i] = static_cast<const char*>(p)[i];
  __builtin_memcpy(&v, bytes, sizeof v);
  return v;
}
template <class V>
BRAID_INLINE void store_part(void* p, V v, int64_t n) {
#if defined(__AVX512F__)
  const uint32_t mask = (1u << n) - 1;
  if constexpr (sizeof(V) == 64) return _mm512_mask_storeu_epi32(p, static_cast<__mmask16>(mask), (__m512i)v);
  if constexpr (sizeof(V) == 32) return _mm256_mask_storeu_epi16(p, static_cast<__mmask16>(mask), (__m256i)v);
#endif
  constexpr size_t kBytes = sizeof(V) / kLanes;
  char bytes[sizeof(V)];
  __builtin_memcpy(bytes, &v, sizeof v);
  for (size_t i = 0; i < static_cast<size_t>(n) * kBytes; ++i) static_cast<char*>(p)[i] = bytes[i];
}

// ---- making
BRAID_INLINE F splat(float s) {
#if BRAID_LANES == 16
  return (F)_mm512_set1_ps(s);
#elif BRAID_LANES == 8
  return (F)_mm256_set1_ps(s);
#else
  return F{s, s, s, s};
#endif
}
BRAID_INLINE I splat_int(int32_t s) {
#if BRAID_LANES == 16
  return (I)_mm512_set1_epi32(s);
#elif BRAID_LANES == 8
  return (I)_mm256_set1_epi32(s);
#else
  return I{s, s, s, s};
#endif
}
/// 0, 1, 2, …
BRAID_INLINE I iota() {
#if BRAID_LANES == 16
  return I{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif BRAID_LANES == 8
  return I{0, 1, 2, 3, 4, 5, 6, 7};
#else
  return I{0, 1, 2, 3};
#endif
}

// ---- arithmetic
/// a * b + c, rounded once where the instruction set can.
BRAID_INLINE F fma(F a, F b, F c) {
#if defined(__AVX512F__)
  return (F)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
  return (F)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (F)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}
/// a > b ? a : b (b where either is not a number).
BRAID_INLINE F larger(F a, F b) {
#if defined(__AVX512F__)
  return (F)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (F)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
  return (F)_mm_max_ps((__m128)a, (__m128)b);
#else
  return a > b ? a : b;
#endif
}
/// a < b ? a : b (b where either is not a number).
BRAID_INLINE F smaller(F a, F b) {
#if defined(__AVX512F__)
  return (F)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (F)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
  return (F)_mm_min_ps((__m128)a, (__m128)b);
#else
  return a < b ? a : b;
#endif
}
BRAID_INLINE F square_root(F a) {
#if defined(__AVX512F__)
  return (F)_mm512_sqrt_ps((__m512)a);
#elif defined(__AVX2__)
  return (F)_mm256_sqrt_ps((__m256)a);
#elif defined(__SSE2__)
  return (F)_mm_sqrt_ps((__m128)a);
#elif defined(__aarch64__)
  return (F)vsqrtq_f32((float32x4_t)a);
#else
  return F{__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]), __builtin_sqrtf(a[3])};
#endif
}
BRAID_INLINE F absolute(F a) { return (F)((U)a & 0x7fffffffu); }
/// |magnitude| with the sign of `sign`.
BRAID_INLINE F with_sign(F magnitude, F sign) { return (F)(((U)magnitude & 0x7fffffffu) | ((U)sign & 0x80000000u)); }
/// To the nearest whole number, ties to even, for |a| < 2²².
BRAID_INLINE F round_small(F a) { return (a + 12582912.0f) - 12582912.0f; }
/// The same as an integer.
BRAID_INLINE I to_int_small(F a) { return (I)(a + 12582912.0f) - 0x4b400000; }
BRAID_INLINE F to_float(I a) { return __builtin_convertvector(a, F); }

// ---- folding a vector by halves
BRAID_INLINE F4 half(F8 v) {
  return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
}
/// The last four partial sums.
BRAID_INLINE F4 fold_to_4(F v) {
#if BRAID_LANES == 16
  return half(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
              __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
#elif BRAID_LANES == 8
  return half(v);
#else
  return v;
#endif
}
BRAID_INLINE float fold(F v) {
  const F4 a = fold_to_4(v);
  return (a[0] + a[2]) + (a[1] + a[3]);
}
/// Four folds at once, with the same additions as fold().
BRAID_INLINE F4 fold_four(F v0, F v1, F v2, F v3) {
  const F4 a = fold_to_4(v0), b = fold_to_4(v1), c = fold_to_4(v2), d = fold_to_4(v3);
  const F4 ab02 = __builtin_shufflevector(a, b, 0, 4, 2, 6), ab13 = __builtin_shufflevector(a, b, 1, 5, 3, 7);
  const F4 cd02 = __builtin_shufflevector(c, d, 0, 4, 2, 6), cd13 = __builtin_shufflevector(c, d, 1, 5, 3, 7);
  const F4 even = __builtin_shufflevector(ab02, cd02, 0, 1, 4, 5) + __builtin_shufflevector(ab02, cd02, 2, 3, 6, 7);
  const F4 odd = __builtin_shufflevector(ab13, cd13, 0, 1, 4, 5) + __builtin_shufflevector(ab13, cd13, 2, 3, 6, 7);
  return even + odd;
}
/// Of whole numbers whose sums f32 holds exactly.
BRAID_INLINE int32_t fold_small(I v) { return static_cast<int32_t>(fold(to_float(v))); }
BRAID_INLINE float fold_max(F v) {
  float best = v[0];
  for (int i = 1; i < kLanes; ++i) best = v[i] > best ? v[i] : best;
  return best;
}

// ---- doubles, for sums that must not drift
struct Wide {
  D low, high;
};
BRAID_INLINE Wide widen(F v) {
#if BRAID_LANES == 16
  const FHalf a = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
  const FHalf b = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
#elif BRAID_LANES == 8
  const FHalf a = __builtin_shufflevector(v, v, 0, 1, 2, 3), b = __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
  const FHalf a = __builtin_shufflevector(v, v, 0, 1), b = __builtin_shufflevector(v, v, 2, 3);
#endif
  return {__builtin_convertvector(a, D), __builtin_convertvector(b, D)};
}
BRAID_INLINE F narrow(Wide w) {
  const FHalf a = __builtin_convertvector(w.low, FHalf), b = __builtin_convertvector(w.high, FHalf);
#if BRAID_LANES == 16
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#elif BRAID_LANES == 8
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
#else
  return __builtin_shufflevector(a, b, 0, 1, 2, 3);
#endif
}
BRAID_INLINE double fold(Wide w) {
  const D v = w.low + w.high;
  double sum = 0;
  for (int i = 0; i < kLanes / 2; ++i) sum += v[i];
  return sum;
}

// ---- 16-bit formats
BRAID_INLINE F from_bf16(H h) { return (F)(__builtin_convertvector(h, U) << 16); }
/// To nearest even; not-a-number stays one.
BRAID_INLINE H to_bf16(F f) {
  const U u = (U)f;
  const U rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  const U nan = (u >> 16) | 0x40u;
  return __builtin_convertvector((u & 0x7fffffffu) > 0x7f800000u ? nan : rounded, H);
}
BRAID_INLINE F from_f16(H h) {
#if defined(__AVX512F__)
  return (F)_mm512_cvtph_ps((__m256i)h);
#elif defined(__F16C__)
  return (F)_mm256_cvtph_ps((__m128i)h);
#elif defined(__aarch64__)
  return (F)vcvt_f32_f16((float16x4_t)h);
#else
  const U u = __builtin_convertvector(h, U);
  const U sign = (u & 0x8000u) << 16, bits = (u & 0x7fffu) << 13, exponent = bits & 0x0f800000u;
  const U normal = bits + (112u << 23), infinite = bits + (224u << 23);
  const U subnormal = (U)((F)(bits + (113u << 23)) - splat(6.103515625e-05f));
  const U finite = exponent == 0u ? subnormal : normal;
  return (F)(sign | (exponent == 0x0f800000u ? infinite : finite));
#endif
}
/// To nearest even; too large becomes infinite.
BRAID_INLINE H to_f16(F f) {
#if defined(__AVX512F__)
  return (H)_mm512_cvtps_ph((__m512)f, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif defined(__F16C__)
  return (H)_mm256_cvtps_ph((__m256)f, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif defined(__aarch64__)
  return (H)vcvt_f16_f32((float32x4_t)f);
#else
  const U u = (U)f & 0x7fffffffu, sign = ((U)f >> 16) & 0x8000u;
  const U large = u > 0x7f800000u ? (U)(0x7e00u | ((u >> 13) & 0x3ffu)) : (U)(u - u + 0x7c00u);
  const U small = (U)((F)u + splat(0.5f)) - 0x3f000000u;
  const U normal = (u - (112u << 23) + 0xfffu + ((u >> 13) & 1u)) >> 13;
  const U result = u >= (143u << 23) ? large : (u < (113u << 23) ? small : normal);
  return __builtin_convertvector(sign | result, H);
#endif
}

}  // namespace braid::cpu::BRAID_ISA
