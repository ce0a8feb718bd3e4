#pragma once
// The functions of one instruction set, each in the file named beside it; table.cpp gathers them.

#include "backend/cpu/kernels.h"
#include "backend/cpu/simd/simd.h"

namespace braid::cpu::BRAID_ISA {

extern const Kernels kKernels;  // table.cpp

// product_float.cpp
void product_f32_f32(const Product&);
void product_f32_bf16(const Product&);
void product_f32_f16(const Product&);
void product_bf16_bf16(const Product&);
// product_int.cpp
void product_q8_0(const Product&);
void product_q4_0(const Product&);

// attention.cpp
void attention(const Attention&);
void merge_attention(const AttentionParts& parts, float* out);

// elementwise.cpp
// clang-format off
#define BRAID_UNARY(OP) \
  OP(neg) OP(exp) OP(log) OP(sqrt) OP(rsqrt) OP(tanh) OP(erf) OP(sin) OP(cos) OP(sigmoid) OP(silu) OP(gelu) \
  OP(gelu_tanh) OP(relu) OP(softplus) OP(copy)
// clang-format on
#define BRAID_BINARY(OP) OP(add) OP(sub) OP(mul) OP(div) OP(maximum) OP(minimum)
#define BRAID_DECLARE(name) void unary_##name(const float* x, float* y, int64_t n);
BRAID_UNARY(BRAID_DECLARE)
#undef BRAID_DECLARE
#define BRAID_DECLARE(name)                                                \
  void binary_##name(const float* a, const float* b, float* y, int64_t n); \
  void binary_scalar_##name(const float* a, float b, float* y, int64_t n);
BRAID_BINARY(BRAID_DECLARE)
#undef BRAID_DECLARE
void silu_mul(const float* gate, const float* up, float* y, int64_t n);

// rows.cpp
void rms_norm(const float* x, const float* weight, float epsilon, float* y, int64_t n);
void layer_norm(const float* x, const float* weight, const float* bias, float epsilon, float* y, int64_t n);
void softmax(const float* x, float* y, int64_t n);
float sum(const float* x, int64_t n);
float max(const float* x, int64_t n);
void rope(const float* x, const float* cos, const float* sin, float* y, int64_t half);

// convert.cpp
void encode_bf16(const float* x, std::byte* y, int64_t n);
void encode_f16(const float* x, std::byte* y, int64_t n);
void encode_q8_act(const float* x, std::byte* y, int64_t n);
void decode_bf16(const std::byte* x, float* y, int64_t n);
void decode_f16(const std::byte* x, float* y, int64_t n);

// conv.cpp, scan.cpp
void conv(const Convolution&);
void selective_scan(const SelectiveScanWork&);
void gated_delta(const GatedDeltaWork&);

// measure.cpp
uint64_t read(const std::byte* data, size_t bytes);
double peak_f32(int64_t iterations);
double peak_bf16(int64_t iterations);
double peak_int8(int64_t iterations);

}  // namespace braid::cpu::BRAID_ISA
