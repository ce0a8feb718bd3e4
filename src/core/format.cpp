#include "core/format.h"

namespace braid {
namespace {

constexpr FormatInfo kTable[kFormats] = {
    {"f64", 1, 8, true, false, 0x1p-53},
    {"f32", 1, 4, true, false, 0x1p-24},
    {"f16", 1, 2, true, false, 0x1p-11},
    {"bf16", 1, 2, true, false, 0x1p-8},
    {"i64", 1, 8, false, true, 0},
    {"i32", 1, 4, false, true, 0},
    {"i16", 1, 2, false, true, 0},
    {"i8", 1, 1, false, true, 0},
    {"u8", 1, 1, false, true, 0},
    {"bool", 1, 1, false, true, 0},
    {"f8e4m3", 1, 1, true, false, 0x1p-4},
    {"f8e5m2", 1, 1, true, false, 0x1p-3},
    {"q8_0", 32, 34, false, false, 1.0 / 254},
    {"q4_0", 32, 18, false, false, 1.0 / 16},
    {"q8_act", 32, 40, false, false, 1.0 / 254},
};

}  // namespace

const FormatInfo& info(Format format) { return kTable[static_cast<int>(format)]; }

std::optional<Format> format_from_name(std::string_view name) {
  for (int i = 0; i < kFormats; ++i)
    if (kTable[i].name == name) return static_cast<Format>(i);
  return std::nullopt;
}

}  // namespace braid
