#pragma once
// The CPU's kernels: one table of functions per instruction set. Every table is made from the same sources
// (backend/cpu/simd/), compiled once per instruction set; which one runs is decided at run time.
//
// Order. A kernel that reduces adds in one fixed order per output element, whatever the number of rows it is called
// with:
//   f32 and 16-bit weights: `kLanes` partial sums along K (lane i takes the elements i mod lanes of each vector), one
//   vector
//     accumulator per output, folded by halves at the end;
//   integer weights: exact i32 sums per block of 32, scaled block by block, then group by group of 128:
//     part = fma(float(sum), w_scale, part), acc = fma(part, x_scale, acc).
// So a row gives the same bits alone and among others, and however the output is cut into tiles.

#include <cstddef>
#include <cstdint>

#include "core/format.h"
#include "core/type.h"

namespace braid::cpu {

/// Rows of x times rows n_begin … n_end of one weight.
struct Product {
  const std::byte* x = nullptr;  ///< (rows, k) f32, bf16 or q8_act
  size_t x_row_bytes = 0;
  int64_t rows = 0;
  const std::byte* w =
      nullptr;  ///< (n, k): f32, bf16, f16 row by row; q8_0, q4_0 in Layout::interleave16 (base of the whole weight)
  size_t w_row_bytes = 0;          ///< row-major weights only
  int64_t n_begin = 0, n_end = 0;  ///< integer classes: n_begin is a multiple of 16
  int64_t k = 0;                   ///< integer classes: a multiple of 32
  float* y = nullptr;              ///< y[row * y_stride + (n - n_begin)]
  int64_t y_stride = 0;
  std::byte* scratch = nullptr;  ///< per worker, at least `product_scratch_bytes()`
};
using ProductFn = void (*)(const Product&);
/// Bytes of scratch that any product function may use for a given k.
size_t product_scratch_bytes();

/// One sequence, one key-value head, some query rows, a range of keys [key_begin, key_end): online softmax in one pass.
/// Keys are taken in blocks of `page_size` at absolute positions, so results do not depend on how queries or steps are
/// cut.
struct Attention {
  const float* q = nullptr;  ///< row r, head g of the group: q[r * q_row_stride + g * head_dim]
  int64_t q_row_stride = 0;  ///< floats
  int64_t rows = 0;          ///< query rows
  int64_t group = 1;         ///< query heads that share this key-value head
  int64_t head_dim = 0;
  int64_t first_position = 0;  ///< absolute position of row 0: with `causal`, row r sees the keys ≤ first_position + r
  bool causal = true;
  float scale = 1;
  int64_t window = 0;               ///< only keys at distances below this are seen; 0: no bound
  float soft_cap = 0;               ///< 0: none
  const float* slopes = nullptr;    ///< (group): what a distance of one adds to a score
  const float* relative = nullptr;  ///< (group, 2 · reach + 1): what distances -reach … reach add
  int64_t reach = 0;
  const float* query_relative = nullptr;  ///< row r, head g of the group: (2 · row_reach + 1) at
  const float* key_relative = nullptr;    ///< [g * by_row_stride + r * (2 · row_reach + 1)]; the key at position r
  int64_t by_row_stride = 0, row_reach = 0;
  Format cache = Format::f32;  ///< f32, bf16 or f16
  int64_t page_size = 64;
  const int32_t* pages = nullptr;  ///< page numbers of this sequence, from position 0
  const std::byte* k = nullptr;    ///< page p of this head begins at k + p * page_bytes: (head_dim, page_size)
  const std::byte* v = nullptr;    ///< page p of this head begins at v + p * page_bytes: (page_size, head_dim)
  size_t page_bytes = 0;           ///< distance of two pages
  int64_t key_begin = 0;           ///< a multiple of page_size
  int64_t key_end = 0;
  float* acc =
      nullptr;  ///< out: (rows, group, head_dim), not yet divided by the sum; row distance acc_row_stride floats
  int64_t acc_row_stride = 0;
  float* max = nullptr;      ///< out: (rows, group) running maximum of the scaled scores; -inf where no key was seen
  float* sum = nullptr;      ///< out: (rows, group) sum of exp(score - max)
  float* scratch = nullptr;  ///< per worker, at least attention_scratch_floats(page_size, head_dim)
};
/// One query's results over `count` consecutive key ranges.
struct AttentionParts {
  const float* acc = nullptr;  ///< part p: head_dim floats at acc + p * acc_stride
  const float* max = nullptr;  ///< part p: max[p * scalar_stride]
  const float* sum = nullptr;
  const float* sink = nullptr;  ///< the score of one more key, of value 0; null: none
  int64_t count = 0;
  int64_t acc_stride = 0, scalar_stride = 0;
  int64_t head_dim = 0;
};
size_t attention_scratch_floats(int64_t page_size, int64_t head_dim);

/// Direct convolution of one image: x (channels, height, width), w (out, channels / groups, kh, kw) → y (out, oh, ow);
/// 1-d: height, kh and oh are 1.
struct Convolution {
  const float* x = nullptr;
  const float* w = nullptr;
  float* y = nullptr;
  int64_t channels = 0, height = 1, width = 0, out = 0, kh = 1, kw = 1, oh = 1, ow = 0, groups = 1;
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0;
  int64_t out_begin = 0, out_end = 0;  ///< output channels of this call
  int64_t row_begin = 0, row_end = 0;  ///< output rows (1-d: output columns) of this call
};

/// One sequence, channels [c_begin, c_end): rows of x and y are `channels` floats apart, those of dt `heads`, those of
/// b and c `groups * state`. y does not overlap x or dt. Channels of a head lie together, heads of a group too.
struct SelectiveScanWork {
  const float* x = nullptr;
  const float* dt = nullptr;
  const float* a = nullptr;  ///< (heads, decays)
  const float* b = nullptr;  ///< (rows, groups, state)
  const float* c = nullptr;  ///< (rows, groups, state)
  const float* d = nullptr;  ///< (heads)
  float* h = nullptr;        ///< (channels, state), in and out
  float* y = nullptr;
  int64_t rows = 0, channels = 0, heads = 0, groups = 1, state = 0;
  int64_t decays = 0;  ///< state, or 1: a head's state decays as one
  int64_t c_begin = 0, c_end = 0;
};

/// One sequence and head of the gated delta rule: S = exp(g)·S; S += k ⊗ β·(v - Sᵀk); y = Sᵀq. Rows of v and y are
/// `heads
/// * value_dim` floats apart, those of g and beta `heads`, those of q and k `heads / per_key * key_dim`.
struct GatedDeltaWork {
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  const float* g = nullptr;
  const float* beta = nullptr;
  float* s = nullptr;  ///< (key_dim, value_dim), in and out
  float* y = nullptr;
  int64_t rows = 0, heads = 0, per_key = 1, key_dim = 0, value_dim = 0;
};

enum class Unary : uint8_t {
  neg,
  exp,
  log,
  sqrt,
  rsqrt,
  tanh,
  erf,
  sin,
  cos,
  sigmoid,
  silu,
  gelu,
  gelu_tanh,
  relu,
  softplus,
  copy
};
enum class Binary : uint8_t { add, sub, mul, div, maximum, minimum };
inline constexpr int kUnary = 16, kBinary = 6;

/// What one instruction set offers. Pointers are never null; all functions are noexcept in effect and allocate nothing.
struct Kernels {
  const char* name;             ///< "avx512_vnni_bf16"
  int lanes;                    ///< f32 lanes of a vector
  const char* f32_instruction;  ///< names of what the products use: "vfmadd231ps zmm", …
  const char* bf16_instruction;
  const char* int_instruction;
  bool native_bf16, native_int8;

  ProductFn product_f32_f32, product_f32_bf16, product_f32_f16;  ///< x f32, weights f32 / bf16 / f16
  ProductFn product_bf16_bf16;           ///< x bf16 (only where native_bf16 makes it faster than f32)
  ProductFn product_q8_0, product_q4_0;  ///< x q8_act, weights in interleave16

  void (*attention)(const Attention&);
  /// Merges partials of consecutive key ranges, left to right, into out (head_dim), divided by the sum.
  void (*merge_attention)(const AttentionParts&, float* out);

  void (*unary[kUnary])(const float* x, float* y, int64_t n);
  void (*binary[kBinary])(const float* a, const float* b, float* y, int64_t n);
  void (*binary_scalar[kBinary])(const float* a, float b, float* y, int64_t n);  ///< a op b
  void (*silu_mul)(const float* gate, const float* up, float* y, int64_t n);

  void (*rms_norm)(const float* x, const float* weight, float epsilon, float* y, int64_t n);
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float epsilon, float* y,
                     int64_t n);  ///< bias may be null
  void (*softmax)(const float* x, float* y, int64_t n);
  float (*sum)(const float* x, int64_t n);
  float (*max)(const float* x, int64_t n);
  /// One head: pairs (i, i + half); cos and sin of `half` angles.
  void (*rope)(const float* x, const float* cos, const float* sin, float* y, int64_t half);

  /// A row to and from a format; row-major layouts. Bitwise the same as formats/.
  void (*encode_bf16)(const float* x, std::byte* y, int64_t n);
  void (*encode_f16)(const float* x, std::byte* y, int64_t n);
  void (*encode_q8_act)(const float* x, std::byte* y, int64_t n);
  void (*decode_bf16)(const std::byte* x, float* y, int64_t n);
  void (*decode_f16)(const std::byte* x, float* y, int64_t n);

  void (*conv)(const Convolution&);
  void (*selective_scan)(const SelectiveScanWork&);
  void (*gated_delta)(const GatedDeltaWork&);

  /// Reads every byte of [data, data + bytes) with wide loads; returns a checksum. For measuring the read bandwidth.
  uint64_t (*read)(const std::byte* data, size_t bytes);
  /// Runs `iterations` of a loop of independent multiply-adds in registers; returns the operations done (2 per
  /// multiply-add). For measuring the peak of the instruction that the products use.
  double (*peak_f32)(int64_t iterations);
  double (*peak_bf16)(int64_t iterations);
  double (*peak_int8)(int64_t iterations);
};

/// The tables compiled into this program, best first, and whether this machine can run each.
struct KernelSet {
  const Kernels* kernels;
  bool available;
  const char* needs;  ///< "AVX-512 F BW DQ VL + VNNI + BF16"
};
struct KernelSets {
  const KernelSet* begin_;
  const KernelSet* end_;
  const KernelSet* begin() const { return begin_; }
  const KernelSet* end() const { return end_; }
};
KernelSets kernel_sets();
/// The best available table, or the one named (the option `cpu_isa`; used by tests). Null when the name is unknown or
/// unavailable.
const Kernels* choose_kernels(const char* name = nullptr);

}  // namespace braid::cpu
