// GGUF's nvfp4 (NVIDIA's 4-bit floats): per 64 elements four scale bytes, each an unsigned e4m3 of 16 elements, then 32
// bytes: in each eight, byte j holds elements j and j + 8 as e2m1. A scale of all ones is 0. The tensor's own factor
// lies in another tensor (".scale").
#include "formats/blocks.h"
#include "formats/e2m1.h"
#include "formats/small_float.h"

namespace braid {
namespace {

void decode(const uint8_t* block, float* to) {
  for (size_t group = 0; group < 4; ++group) {
    const uint32_t code = block[group] & 127u;
    const float scale = code == 127 ? 0.0f : SmallFloat<4, 3, false>::decode(code);
    for (size_t i = 0; i < 8; ++i) {
      const uint8_t byte = block[4 + 8 * group + i];
      to[16 * group + i] = scale * formats::kE2m1[byte & 15];
      to[16 * group + i + 8] = scale * formats::kE2m1[byte >> 4];
    }
  }
}

}  // namespace

const FormatOps formats::nvfp4 = formats::Blocks<64, 36>::read_only<decode>(Format::nvfp4);

}  // namespace braid
