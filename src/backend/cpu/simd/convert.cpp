// Rows to and from 16-bit formats and q8_act, bitwise as formats/ defines them.

#include "backend/cpu/simd/blocking.h"
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
  for (int64_t b = 0; b < blocks; b += kScaleBlocks) {
    const int64_t end = lesser(b + kScaleBlocks, blocks);
    // Magnitudes order as their bits do, and what is not finite comes last.
    I largest{};
    for (int64_t i = b * kBlock; i < end * kBlock; i += kLanes) {
      const I bits = (I)load<F>(x + i) & 0x7fffffff;
      largest = bits > largest ? bits : largest;
    }
    int32_t greatest_bits = 0;
    for (int i = 0; i < kLanes; ++i) greatest_bits = largest[i] > greatest_bits ? largest[i] : greatest_bits;
    const bool finite = greatest_bits < 0x7f800000;
    const float greatest = __builtin_bit_cast(float, greatest_bits);
    const F inverse = splat(finite && greatest >= kLeastActivation ? 127.0f / greatest : 0.0f);
    const float scale = finite ? greatest / 127.0f : __builtin_nanf("");
    for (int64_t at = b; at < end; ++at) {
      I total{};
      for (int64_t i = at * kBlock; i < (at + 1) * kBlock; i += kLanes) {
        const I code = finite ? to_int_small(load<F>(x + i) * inverse) : I{};
        total += code;
        store(y + i, __builtin_convertvector(code, B));
      }
      const int32_t start = -128 * fold_small(total);
      __builtin_memcpy(y + n + 4 * at, &scale, 4);
      __builtin_memcpy(y + n + 4 * blocks + 4 * at, &start, 4);
    }
  }
}

}  // namespace braid::cpu::BRAID_ISA
