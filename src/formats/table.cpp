#include <array>

#include "formats/formats.h"

namespace braid {

const FormatOps& format_ops(Format format) {
  static constexpr std::array<const FormatOps*, kFormats> kTable = {
#define FORMAT(name) &formats::name,
#include "formats/list.inc"
#undef FORMAT
  };
  return *kTable[static_cast<size_t>(format)];
}

}  // namespace braid
