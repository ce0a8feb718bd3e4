// Rows to and from 16-bit formats and q8_act, bitwise as formats/ defines them.

#include "backend/cpu/simd/isa.h"

namespace braid::cpu::BRAID_ISA {
namespace {

template <class Convert>
BRAID_INLINE void encode_16(const float* x, std::byte* y, int64_t n, Convert convert) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + 2 * i, convert(load<F>(x + i)));
  if (i < n) store_part(y + 2 * i, convert(load_part<F>(x + i, n - i)), n - i);
}
template <class Convert>
BRAID_INLINE void decode_16(const std::byte* x, float* y, int64_t n, Convert convert) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, convert(load<H>(x + 2 * i)));
  if (i < n) store_part(y + i, convert(load_part<H>(x + 2 * i, n - i)), n - i);
}

constexpr int kBlock = 32, kVectors = kBlock / kLanes;

}  // namespace

void encode_bf16(const float* x, std::byte* y, int64_t n) {
  encode_16(x, y, n, [](F v) BRAID_FLATTEN { return to_bf16(v); });
}
void encode_f16(const float* x, std::byte* y, int64_t n) {
  encode_16(x, y, n, [](F v) BRAID_FLATTEN { return to_f16(v); });
}
void decode_bf16(const std::byte* x, float* y, int64_t n) {
  decode_16(x, y, n, [](H v) BRAID_FLATTEN { return from_bf16(v); });
}
void decode_f16(const std::byte* x, float* y, int64_t n) {
  decode_16(x, y, n, [](H v) BRAID_FLATTEN { return from_f16(v); });
}

void encode_q8_act(const float* x, std::byte* y, int64_t n) {
  const int64_t blocks = n / kBlock;
  for (int64_t b = 0; b < blocks; ++b, x += kBlock) {
    F v[kVectors];
    F largest{};
    unroll<kVectors>([&](auto i) BRAID_FLATTEN {
      v[i] = load<F>(x + i * kLanes);
      largest = larger(absolute(v[i]), largest);
    });
    const float amax = fold_max(largest);
    const F inverse = splat(amax > 0 ? 127.0f / amax : 0.0f);
    I total{};
    unroll<kVectors>([&](auto i) BRAID_FLATTEN {
      // The bounds matter only where 127 / amax is infinite.
      const F scaled = smaller(splat(127), larger(splat(-127), v[i] * inverse));
      const I code = to_int_small(scaled);
      total += code;
      store(y + b * kBlock + i * kLanes, __builtin_convertvector(code, B));
    });
    int32_t sum = 0;
    for (int i = 0; i < kLanes; ++i) sum += total[i];
    const float scale = amax / 127.0f;
    __builtin_memcpy(y + n + 4 * b, &scale, 4);
    __builtin_memcpy(y + n + 4 * blocks + 4 * b, &sum, 4);
  }
}

}  // namespace braid::cpu::BRAID_ISA
