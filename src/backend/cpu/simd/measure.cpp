// The limits that products are measured against: how fast this core reads memory, and how fast it multiplies.

#include "backend/cpu/simd/dot.h"
#include "backend/cpu/simd/isa.h"

namespace braid::cpu::BRAID_ISA {
namespace {

#if defined(__AVX512F__)
#define BRAID_VECTOR_REGISTER "v"
#elif defined(__x86_64__)
#define BRAID_VECTOR_REGISTER "x"
#else
#define BRAID_VECTOR_REGISTER "w"
#endif

constexpr int kChains = 12;  // independent chains: more than latency × throughput of any of the instructions

/// Runs `step` on kChains accumulators; the empty assembly keeps them, and their number, as they are.
template <class V, class Step>
BRAID_INLINE void chains(int64_t iterations, V start, Step step) {
  V acc[kChains];
  unroll<kChains>([&](auto i) BRAID_FLATTEN { acc[i] = start; });
  for (int64_t n = 0; n < iterations; ++n) {
    unroll<kChains>([&](auto i) BRAID_FLATTEN {
      acc[i] = step(acc[i]);
      asm volatile("" : "+" BRAID_VECTOR_REGISTER(acc[i]));
    });
  }
}

template <class V>
BRAID_INLINE V opaque(V v) {
  asm volatile("" : "+" BRAID_VECTOR_REGISTER(v));
  return v;
}

}  // namespace

/// Eight streams of a page each, with the next eight pages on their way: one core draws more from several streams than
/// from one, since the hardware prefetches within a page only. Products stream their weights in the same way.
uint64_t read(const std::byte* data, size_t bytes) {
  constexpr size_t kStreams = 8, kPage = 4096, kLine = 64;
  U sum[kStreams] = {};
  const std::byte* end = data + bytes;
  for (; static_cast<size_t>(end - data) >= kStreams * kPage; data += kStreams * kPage) {
    for (size_t offset = 0; offset < kPage; offset += kLine) {
      unroll<kStreams>([&](auto i) BRAID_FLATTEN {
        const std::byte* line = data + i * kPage + offset;
        __builtin_prefetch(line + kStreams * kPage, 0, 2);
        unroll<kLine / sizeof(U)>([&](auto v) BRAID_FLATTEN { sum[i] += load<U>(line + v * sizeof(U)); });
      });
    }
  }
  uint64_t total = 0;
  for (; data < end; ++data) total += static_cast<uint64_t>(*data);
  for (const U& s : sum) {
    for (int lane = 0; lane < kLanes; ++lane) total += s[lane];
  }
  return total;
}

double peak_f32(int64_t iterations) {
  const F a = opaque(splat(0.5f)), b = opaque(splat(1.0f));
  chains(iterations, b, [&](F acc) BRAID_FLATTEN { return fma(a, b, acc); });
  return 2.0 * kLanes * kChains * static_cast<double>(iterations);
}

double peak_bf16(int64_t iterations) {
#if defined(__AVX512BF16__)
  const I a = opaque(splat_int(0x3f003f00)), b = opaque(splat_int(0x3f803f80));
  chains(iterations, splat(0.0f), [&](F acc) BRAID_FLATTEN { return dot_pairs(a, b, acc); });
  return 4.0 * kLanes * kChains * static_cast<double>(iterations);
#else
  return peak_f32(iterations);
#endif
}

double peak_int8(int64_t iterations) {
  const I a = opaque(splat_int(0x01020304)), b = opaque(splat_int(0x01ff01ff));
  chains(iterations, splat_int(0), [&](I acc) BRAID_FLATTEN {
    // Without an instruction of its own, the operands' unpacking is part of every product: it must not leave the loop.
    if constexpr (kNativeInt8) return dot_bytes(a, b, acc);
    return dot_bytes(opaque(a), opaque(b), acc);
  });
  return 8.0 * kLanes * kChains * static_cast<double>(iterations);
}

}  // namespace braid::cpu::BRAID_ISA
