#pragma once
// Dot products inside a vector: pairs of bf16, groups of four bytes; and what the machine calls them.

#include "backend/cpu/simd/simd.h"

namespace braid::cpu::BRAID_ISA {

#if defined(__AVX512F__)
constexpr const char* kF32Instruction = "vfmadd231ps zmm";
#elif defined(__FMA__)
constexpr const char* kF32Instruction = "vfmadd231ps ymm";
#elif defined(__aarch64__)
constexpr const char* kF32Instruction = "fmla v4.4s";
#else
constexpr const char* kF32Instruction = "mulps + addps";
#endif

#if defined(__AVX512BF16__)
constexpr bool kNativeBf16 = true;
constexpr const char* kBf16Instruction = "vdpbf16ps zmm";
#else
constexpr bool kNativeBf16 = false;
constexpr const char* kBf16Instruction = kF32Instruction;
#endif

#if defined(__AVX512VNNI__)
constexpr bool kNativeInt8 = true;
constexpr const char* kIntInstruction = "vpdpbusd zmm";
#elif defined(__AVX512BW__)
constexpr bool kNativeInt8 = false;
constexpr const char* kIntInstruction = "vpmaddwd zmm";
#elif defined(__AVX2__)
constexpr bool kNativeInt8 = false;
constexpr const char* kIntInstruction = "vpmaddwd ymm";
#elif defined(__SSE2__)
constexpr bool kNativeInt8 = false;
constexpr const char* kIntInstruction = "pmaddwd xmm";
#else
constexpr bool kNativeInt8 = false;
constexpr const char* kIntInstruction = "mla v4.4s";
#endif

#if defined(__AVX512BF16__)
/// acc[i] + a[2i] b[2i] + a[2i + 1] b[2i + 1] of bf16.
BRAID_INLINE F dot_pairs(I a, I b, F acc) { return (F)_mm512_dpbf16_ps((__m512)acc, (__m512bh)a, (__m512bh)b); }
#endif

#if !defined(__AVX512VNNI__) && defined(__SSE2__)
BRAID_INLINE I multiply_add_words(I a, I b) {
#if defined(__AVX512BW__)
  return (I)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (I)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
  return (I)_mm_madd_epi16((__m128i)a, (__m128i)b);
#endif
}
#endif

/// acc[i] + Σ_j u[4i + j] s[4i + j]: unsigned bytes times signed bytes, exact. (vpmaddubsw would be faster without
/// VNNI, but it saturates at 16 bits.)
BRAID_INLINE I dot_bytes(I u, I s, I acc) {
#if defined(__AVX512VNNI__)
  return (I)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)u, (__m512i)s);
#elif defined(__SSE2__)
  typedef int16_t S __attribute__((vector_size(4 * BRAID_LANES)));
  typedef uint16_t W __attribute__((vector_size(4 * BRAID_LANES)));
  const I even = (I)((W)u & 0xff), odd = (I)((W)u >> 8);
  const I s_even = (I)((S)((S)s << 8) >> 8), s_odd = (I)((S)s >> 8);
  return acc + multiply_add_words(even, s_even) + multiply_add_words(odd, s_odd);
#else
  const U w = (U)u;
  acc += (I)(w & 0xffu) * ((s << 24) >> 24);
  acc += (I)((w >> 8) & 0xffu) * ((s << 16) >> 24);
  acc += (I)((w >> 16) & 0xffu) * ((s << 8) >> 24);
  return acc + (I)(w >> 24) * (s >> 24);
#endif
}

}  // namespace braid::cpu::BRAID_ISA
