#pragma once
// How stored elements become vectors of f32, and the small matrix product that attention and convolution share.

#include "backend/cpu/simd/simd.h"

namespace braid::cpu::BRAID_ISA {

// `whole` reads a full vector, `part` the n elements that are left (the others are zero).
struct FromF32 {
  static constexpr int64_t kElementBytes = 4, kBytes = 4 * kLanes;
  BRAID_INLINE F whole(const std::byte* p) { return load<F>(p); }
  BRAID_INLINE F part(const std::byte* p, int64_t n) { return load_part<F>(p, n); }
};
struct FromBf16 {
  static constexpr int64_t kElementBytes = 2, kBytes = 2 * kLanes;
  BRAID_INLINE F whole(const std::byte* p) { return from_bf16(load<H>(p)); }
  BRAID_INLINE F part(const std::byte* p, int64_t n) { return from_bf16(load_part<H>(p, n)); }
};
struct FromF16 {
  static constexpr int64_t kElementBytes = 2, kBytes = 2 * kLanes;
  BRAID_INLINE F whole(const std::byte* p) { return from_f16(load<H>(p)); }
  BRAID_INLINE F part(const std::byte* p, int64_t n) { return from_f16(load_part<H>(p, n)); }
};

// A tile of T rows × V vectors of accumulators.
constexpr int kTileRows = kManyRegisters ? 6 : 3;
constexpr int kTileVectors = kManyRegisters ? 4 : 3;

/// acc[t][v] += Σ_i a[t][i] · b[i][v], i in order, for V vectors of b (rows `b_row` elements apart). With kPart, V is 1
/// and the vector has `width` < kLanes elements.
template <class C, int T, int V, bool kPart>
BRAID_INLINE void multiply(const float* const* a, const std::byte* b, int64_t b_row, int64_t count, int64_t width,
                           F (&acc)[T * V]) {
  for (int64_t i = 0; i < count; ++i, b += b_row * C::kElementBytes) {
    F bs[V];
    unroll<V>([&](auto v) BRAID_FLATTEN {
      const std::byte* p = b + v * C::kBytes;
      bs[v] = kPart ? C::part(p, width) : C::whole(p);
    });
    unroll<T>([&](auto t) BRAID_FLATTEN {
      const F as = splat(a[t][i]);
      unroll<V>([&](auto v) BRAID_FLATTEN { acc[t * V + v] = fma(as, bs[v], acc[t * V + v]); });
    });
  }
}

}  // namespace braid::cpu::BRAID_ISA
