#pragma once
// Ids and sizes of number formats. How bytes become numbers is in formats/, one file each.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace braid {

enum class Format : uint8_t {
  f64,
  f32,
  f16,
  bf16,  // floating point
  i64,
  i32,
  i16,
  i8,
  u8,
  boolean,  // integers
  f8e4m3,
  f8e5m2,  // read from checkpoints; arithmetic comes with the formats issue
  q8_0,
  q4_0,  // blocks of 32 along the last dimension: one f16 scale, then the codes (as in GGUF)
  // GGUF's other block formats, each in its file in formats/
  q4_1,
  q5_0,
  q5_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  q8_k,
  iq1_s,
  iq1_m,
  iq2_xxs,
  iq2_xs,
  iq2_s,
  iq3_xxs,
  iq3_s,
  iq4_nl,
  iq4_xs,
  tq1_0,
  tq2_0,
  mxfp4,
  nvfp4,
  // what the Hub's quantised checkpoints become: groups of N codes with an f32 scale (formats/groups.h)
  i4_g16,
  i4_g32,
  i4_g128,
  i8_g32,
  i8_g128,
  e4m3_g32,
  e4m3_g128,
  e2m1_g16,
  nf4_g64,
  fp4_g64,
  llm_int8,
  q8_act,  // activations: per row K int8 codes, then K/32 f32 scales, then K/32 i32 starts (formats/q8_act.cpp)
};
inline constexpr int kFormats = static_cast<int>(Format::q8_act) + 1;

struct FormatInfo {
  std::string_view name;
  uint32_t block_elements;  ///< elements along the last dimension that share one block
  uint32_t block_bytes;     ///< bytes of one block
  bool floating;            ///< an unquantised floating-point format
  bool integer;             ///< a plain integer format
  double epsilon;  ///< half a unit in the last place relative to 1 (blocks: relative to the block's largest value)
};

const FormatInfo& info(Format format);
/// Nothing for a name that no format has.
std::optional<Format> format_from_name(std::string_view name);
/// Bytes of one row of `elements`; `elements` must be a multiple of the block (the caller checks with `fits`).
inline uint64_t row_bytes(Format f, uint64_t elements) {
  return elements / info(f).block_elements * info(f).block_bytes;
}
inline bool fits(Format f, uint64_t elements) { return elements % info(f).block_elements == 0; }
inline bool is_quantized(Format f) { return info(f).block_elements > 1; }

}  // namespace braid
