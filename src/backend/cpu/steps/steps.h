#pragma once
// The kernel entries of backend/cpu/steps/, one group per file; backend/cpu/table.cpp lists them.

#include "backend/cpu/step.h"

namespace braid::cpu {

extern const KernelEntry kProductInteger, kProductBf16, kProductF32, kProductDecode;  // product_step.cpp
extern const KernelEntry kMatmul;                                                     // matmul_step.cpp
extern const KernelEntry kInteger;                                                    // integer_step.cpp
extern const KernelEntry kTile;                                                       // tile_step.cpp
extern const KernelEntry kRmsNorm, kLayerNorm, kSoftmax, kEncode, kCast, kRope;       // row_steps.cpp
extern const KernelEntry kGather, kScatter, kTranspose, kSlice, kConcat, kBroadcast, kIota, kSegmentOf,
    kGroup;                                                         // move_steps.cpp
extern const KernelEntry kReduce, kTopK, kRoute, kReduceWindow;     // reduce_steps.cpp
extern const KernelEntry kAttend;                                   // attend_step.cpp
extern const KernelEntry kAttendLatent;                             // attend_latent_step.cpp
extern const KernelEntry kConv;                                     // conv_step.cpp
extern const KernelEntry kCausalConv, kSelectiveScan, kGatedDelta;  // recurrent_steps.cpp
extern const KernelEntry kInterpret;                                // interpret_step.cpp

/// A row of floats in another format.
void encode_row(const Kernels& kernels, Format to, const float* x, std::byte* y, int64_t n);

}  // namespace braid::cpu
