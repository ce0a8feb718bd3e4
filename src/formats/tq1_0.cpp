// GGUF's tq1_0: per 256 elements 48 bytes of five ternary digits, four bytes of four, and an f16 scale. A byte is the
// fraction ⌈256 · digits / 243⌉ / 256 in base 3: digit n is what 3ⁿ⁺¹ · byte carries into the ninth bit. Bytes 0 … 31
// hold elements j + 32 n, bytes 32 … 47 elements 160 + j + 16 n, the last four 240 + j + 4 n. value = d · (digit - 1).
#include "formats/blocks.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block + 52);
  const auto stretch = [&](const uint8_t* bytes, size_t count, size_t digits) {
    uint8_t power = 1;
    for (size_t n = 0; n < digits; ++n, power = static_cast<uint8_t>(power * 3))
      for (size_t j = 0; j < count; ++j) {
        const auto fraction = static_cast<uint8_t>(bytes[j] * power);
        *to++ = d * static_cast<float>((fraction * 3 >> 8) - 1);
      }
  };
  stretch(block, 32, 5);
  stretch(block + 32, 16, 5);
  stretch(block + 48, 4, 4);
}

}  // namespace

const FormatOps formats::tq1_0 = formats::Blocks<kSuper, 54>::read_only<decode>(Format::tq1_0);

}  // namespace braid
