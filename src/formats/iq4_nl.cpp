// GGUF's iq4_nl: q4_0 with a table: per 32 elements an f16 scale, then 16 bytes; byte i holds the index of element i in
// its low nibble and of element i + 16 in its high one. value = scale · table[index].
#include "formats/blocks.h"
#include "formats/fit.h"
#include "formats/iq4.h"

namespace braid {
namespace {

constexpr size_t kBlock = 32;

void decode(const uint8_t* block, float* to) {
  const float scale = formats::half_at(block);
  for (size_t i = 0; i < kBlock / 2; ++i) {
    to[i] = scale * formats::kIq4[block[2 + i] & 15];
    to[i + 16] = scale * formats::kIq4[block[2 + i] >> 4];
  }
}

void encode(const float* from, uint8_t* block) {
  const auto on_grid = [](float x) { return formats::kIq4[formats::iq4_code(x)]; };
  const std::span<const float> x(from, kBlock);
  // The table is not symmetric: either of its ends may be the better one for the greatest number.
  const formats::ScaleFit low = formats::fit_scale(x, formats::kIq4.front(), on_grid);
  const formats::ScaleFit high = formats::fit_scale(x, formats::kIq4.back(), on_grid);
  const float wanted = formats::all_finite(x) ? (low.error <= high.error ? low : high).scale : NAN;
  const float scale = formats::put_half(wanted, block), inverse = scale != 0 ? 1 / scale : 0;
  for (size_t i = 0; i < kBlock / 2; ++i)
    block[2 + i] =
        static_cast<uint8_t>(formats::iq4_code(from[i] * inverse) | formats::iq4_code(from[i + 16] * inverse) << 4);
}

}  // namespace

const FormatOps formats::iq4_nl = formats::Blocks<kBlock, 18>::both<decode, encode>(Format::iq4_nl);

}  // namespace braid
