#include "backend/cpu/simd/dot.h"
#include "backend/cpu/simd/isa.h"

namespace braid::cpu::BRAID_ISA {

#define BRAID_TEXT_OF(x) #x
#define BRAID_TEXT(x) BRAID_TEXT_OF(x)
#define BRAID_ENTRY(name) unary_##name,
#define BRAID_BINARY_ENTRY(name) binary_##name,
#define BRAID_SCALAR_ENTRY(name) binary_scalar_##name,

extern const Kernels kKernels = {
    .name = BRAID_TEXT(BRAID_ISA),
    .lanes = kLanes,
    .f32_instruction = kF32Instruction,
    .bf16_instruction = kBf16Instruction,
    .int_instruction = kIntInstruction,
    .native_bf16 = kNativeBf16,
    .native_int8 = kNativeInt8,
    .product_f32_f32 = product_f32_f32,
    .product_f32_bf16 = product_f32_bf16,
    .product_f32_f16 = product_f32_f16,
    .product_bf16_bf16 = product_bf16_bf16,
    .product_q8_0 = product_q8_0,
    .product_q4_0 = product_q4_0,
    .attention = attention,
    .merge_attention = merge_attention,
    .unary = {BRAID_UNARY(BRAID_ENTRY)},
    .binary = {BRAID_BINARY(BRAID_BINARY_ENTRY)},
    .binary_scalar = {BRAID_BINARY(BRAID_SCALAR_ENTRY)},
    .silu_mul = silu_mul,
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .softmax = softmax,
    .sum = sum,
    .max = max,
    .rope = rope,
    .encode_bf16 = encode_bf16,
    .encode_f16 = encode_f16,
    .encode_q8_act = encode_q8_act,
    .decode_bf16 = decode_bf16,
    .decode_f16 = decode_f16,
    .conv = conv,
    .selective_scan = selective_scan,
    .gated_delta = gated_delta,
    .read = read,
    .peak_f32 = peak_f32,
    .peak_bf16 = peak_bf16,
    .peak_int8 = peak_int8,
};

}  // namespace braid::cpu::BRAID_ISA
