#include <array>

#include "files/gguf.h"

namespace braid {
namespace {

constexpr auto kNone = std::optional<Format>();
// ggml's types by number; sizes as in ggml-common.h. Zeros: removed from the format, with the number never used again.
constexpr GgufTensorType kTypes[] = {
    {0, "F32", 1, 4, Format::f32},
    {1, "F16", 1, 2, Format::f16},
    {2, "Q4_0", 32, 18, Format::q4_0},
    {3, "Q4_1", 32, 20, Format::q4_1},
    {4, "Q4_2", 0, 0, kNone},
    {5, "Q4_3", 0, 0, kNone},
    {6, "Q5_0", 32, 22, Format::q5_0},
    {7, "Q5_1", 32, 24, Format::q5_1},
    {8, "Q8_0", 32, 34, Format::q8_0},
    {9, "Q8_1", 32, 36, kNone},
    {10, "Q2_K", 256, 84, Format::q2_k},
    {11, "Q3_K", 256, 110, Format::q3_k},
    {12, "Q4_K", 256, 144, Format::q4_k},
    {13, "Q5_K", 256, 176, Format::q5_k},
    {14, "Q6_K", 256, 210, Format::q6_k},
    {15, "Q8_K", 256, 292, Format::q8_k},
    {16, "IQ2_XXS", 256, 66, Format::iq2_xxs},
    {17, "IQ2_XS", 256, 74, Format::iq2_xs},
    {18, "IQ3_XXS", 256, 98, Format::iq3_xxs},
    {19, "IQ1_S", 256, 50, Format::iq1_s},
    {20, "IQ4_NL", 32, 18, Format::iq4_nl},
    {21, "IQ3_S", 256, 110, Format::iq3_s},
    {22, "IQ2_S", 256, 82, Format::iq2_s},
    {23, "IQ4_XS", 256, 136, Format::iq4_xs},
    {24, "I8", 1, 1, Format::i8},
    {25, "I16", 1, 2, Format::i16},
    {26, "I32", 1, 4, Format::i32},
    {27, "I64", 1, 8, Format::i64},
    {28, "F64", 1, 8, Format::f64},
    {29, "IQ1_M", 256, 56, Format::iq1_m},
    {30, "BF16", 1, 2, Format::bf16},
    {31, "Q4_0_4_4", 0, 0, kNone},
    {32, "Q4_0_4_8", 0, 0, kNone},
    {33, "Q4_0_8_8", 0, 0, kNone},
    {34, "TQ1_0", 256, 54, Format::tq1_0},
    {35, "TQ2_0", 256, 66, Format::tq2_0},
    {36, "IQ4_NL_4_4", 0, 0, kNone},
    {37, "IQ4_NL_4_8", 0, 0, kNone},
    {38, "IQ4_NL_8_8", 0, 0, kNone},
    {39, "MXFP4", 32, 17, Format::mxfp4},
    {40, "NVFP4", 64, 36, Format::nvfp4},
};

constexpr std::array<std::string_view, 13> kValueTypes = {"UINT8",  "INT8",    "UINT16", "INT16",  "UINT32",
                                                          "INT32",  "FLOAT32", "BOOL",   "STRING", "ARRAY",
                                                          "UINT64", "INT64",   "FLOAT64"};

}  // namespace

std::span<const GgufTensorType> gguf_tensor_types() { return kTypes; }

std::string_view name(GgufValue::Type type) { return kValueTypes[static_cast<size_t>(type)]; }

}  // namespace braid
