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
    {"q4_1", 32, 20, false, false, 1.0 / 15},
    {"q5_0", 32, 22, false, false, 1.0 / 32},
    {"q5_1", 32, 24, false, false, 1.0 / 31},
    {"q2_k", 256, 84, false, false, 0},
    {"q3_k", 256, 110, false, false, 0},
    {"q4_k", 256, 144, false, false, 1.0 / 15},
    {"q5_k", 256, 176, false, false, 1.0 / 31},
    {"q6_k", 256, 210, false, false, 1.0 / 64},
    {"q8_k", 256, 292, false, false, 0},
    {"iq1_s", 256, 50, false, false, 0},
    {"iq1_m", 256, 56, false, false, 0},
    {"iq2_xxs", 256, 66, false, false, 0},
    {"iq2_xs", 256, 74, false, false, 0},
    {"iq2_s", 256, 82, false, false, 0},
    {"iq3_xxs", 256, 98, false, false, 0},
    {"iq3_s", 256, 110, false, false, 0},
    {"iq4_nl", 32, 18, false, false, 12.0 / 113},
    {"iq4_xs", 256, 136, false, false, 0},
    {"tq1_0", 256, 54, false, false, 0},
    {"tq2_0", 256, 66, false, false, 0},
    {"mxfp4", 32, 17, false, false, 1.0 / 4},
    {"nvfp4", 64, 36, false, false, 0},
    {"i4_g16", 16, 13, false, false, 0},
    {"i4_g32", 32, 21, false, false, 0},
    {"i4_g128", 128, 69, false, false, 0},
    {"i8_g32", 32, 37, false, false, 0},
    {"i8_g128", 128, 133, false, false, 0},
    {"e4m3_g32", 32, 36, false, false, 0},
    {"e4m3_g128", 128, 132, false, false, 0},
    {"e2m1_g16", 16, 12, false, false, 0},
    {"nf4_g64", 64, 36, false, false, 0},
    {"fp4_g64", 64, 36, false, false, 0},
    {"llm_int8", 32, 36, false, false, 0},
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
