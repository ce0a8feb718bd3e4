// bitsandbytes' LLM.int8 (arXiv:2208.07339): signed codes and the greatest magnitude of their row.
// value = (code · greatest) · (1/127), two roundings.
#include "formats/groups.h"

namespace braid {
namespace {

struct Code {
  static constexpr size_t kBits = 8;
  static constexpr bool kZero = false;
  static float value(uint8_t code, uint8_t, float greatest) {
    return static_cast<float>(static_cast<int8_t>(code)) * greatest * (1.0f / 127);
  }
};

}  // namespace

const FormatOps formats::llm_int8 = Groups<Code, 32>::ops(Format::llm_int8);

}  // namespace braid
