// GGUF's tq2_0: per 256 elements 64 bytes of 2-bit codes, laid out as in q2_K, and an f16 scale. value = d · (code -
// 1).
#include "formats/blocks.h"
#include "formats/k_quants.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  const float d = formats::half_at(block + 64);
  for (size_t i = 0; i < formats::kSuper; ++i) {
    const int code = block[i / 128 * 32 + i % 32] >> 2 * (i % 128 / 32) & 3;
    to[i] = d * static_cast<float>(code - 1);
  }
}

}  // namespace

const FormatOps formats::tq2_0 = formats::Blocks<kSuper, 66>::read_only<decode>(Format::tq2_0);

}  // namespace braid
