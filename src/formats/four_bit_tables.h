#pragma once
// The sixteen numbers of bitsandbytes' 4-bit types, in the order of their codes. Files repeat them as "quant_map".

#include <array>

namespace braid::formats {

/// nf4 (QLoRA, arXiv:2305.14314, appendix E): quantiles of the normal distribution.
inline constexpr std::array<float, 16> kNf4 = {
    -1.0f,      -0.6961928f, -0.52507305f, -0.3949175f, -0.28444138f, -0.18477343f, -0.091050036f, 0.0f,
    0.0795803f, 0.1609302f,  0.2461123f,   0.33791524f, 0.44070983f,  0.562617f,    0.72295684f,   1.0f};

/// fp4: a sign, and seven magnitudes in the order of bitsandbytes' codes.
inline constexpr std::array<float, 16> kFp4 = {
    0.0f, 0.0052083335f,  0.6666667f,  1.0f,  0.33333334f,  0.5f,  0.16666667f,  0.25f,
    0.0f, -0.0052083335f, -0.6666667f, -1.0f, -0.33333334f, -0.5f, -0.16666667f, -0.25f};

}  // namespace braid::formats
