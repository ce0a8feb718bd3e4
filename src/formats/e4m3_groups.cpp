// fp8 with scales: blocks of 128 × 128 (DeepSeek-V3, arXiv:2412.19437), rows, tensors, and mxfp8. value = e4m3 · scale.
#include "formats/groups.h"
#include "formats/small_float.h"

namespace braid {
namespace {

std::array<float, 256> table() {
  std::array<float, 256> numbers;
  for (uint32_t i = 0; i < 256; ++i) numbers[i] = SmallFloat<4, 3, false>::decode(i);
  return numbers;
}

struct Code {
  static constexpr size_t kBits = 8;
  static constexpr bool kZero = false;
  static float value(uint8_t code, uint8_t, float scale) {
    static const std::array<float, 256> kNumbers = table();
    return kNumbers[code] * scale;
  }
};

}  // namespace

const FormatOps formats::e4m3_g32 = Groups<Code, 32>::ops(Format::e4m3_g32);
const FormatOps formats::e4m3_g128 = Groups<Code, 128>::ops(Format::e4m3_g128);

}  // namespace braid
