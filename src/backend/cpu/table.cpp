// The kernel table: every entry once, for one op the preferred first.

#include "backend/cpu/steps/steps.h"

namespace braid::cpu {

std::vector<const KernelEntry*> kernel_entries() {
  return {&kProductInteger, &kProductBf16, &kProductF32,    &kProductDecode, &kMatmul,       &kTile,   &kInteger,
          &kRmsNorm,        &kLayerNorm,   &kSoftmax,       &kEncode,        &kCast,         &kRope,   &kGather,
          &kScatter,        &kTranspose,   &kBroadcast,     &kSlice,         &kConcat,       &kIota,   &kSegmentOf,
          &kGroup,          &kReduce,      &kTopK,          &kRoute,         &kReduceWindow, &kAttend, &kAttendLatent,
          &kConv,           &kCausalConv,  &kSelectiveScan, &kGatedDelta,    &kInterpret};
}

}  // namespace braid::cpu
