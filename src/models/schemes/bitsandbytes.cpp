// bitsandbytes. 4-bit (QLoRA, arXiv:2305.14314): weight uint8 (n / 2, 1), the matrix row by row, the even element in
// the HIGH nibble, an index into quant_map; absmax f32 per blocksize elements, or nested: uint8 into nested_quant_map,
// times nested_absmax per nested_blocksize of them, plus nested_offset. Shape and sizes are in the JSON bytes of
// quant_state. 8-bit (arXiv:2208.07339): weight int8 and SCB, the greatest magnitude of each row.
#include <cstring>

#include "formats/four_bit_tables.h"
#include "models/schemes/scheme.h"

namespace braid {
namespace {

constexpr int64_t kBlock = 64;

struct FourBits {
  std::string type;  // "nf4", "fp4"
  std::vector<int64_t> shape;
  int64_t block = 0, nested_block = 0;
  float nested_offset = 0;
};

FourBits state_of(const QuantizedModule& m, const std::string& type) {
  const std::string leaf = "weight.quant_state.bitsandbytes__" + type;
  const Tensor bytes = m.tensor(leaf, {Format::u8}, 1);
  const Config state = Config::parse({bytes.data<char>(), static_cast<size_t>(bytes.elements())}, m.path(leaf));
  FourBits four{.type = type, .shape = state.ints_at("shape", kSizeRange), .block = state.size_at("blocksize")};
  if (four.shape.size() != 2) m.fail(leaf, "the weight is not a matrix");
  if (four.block % kBlock != 0 || four.shape[1] % kBlock != 0)
    m.fail(leaf, "blocks of " + std::to_string(four.block) + " do not fit rows of " + std::to_string(four.shape[1]),
           "rows and blocks must be multiples of 64");
  four.nested_block = state.int_or("nested_blocksize", 0, {0, kSizeRange.most});
  four.nested_offset = static_cast<float>(state.real_or("nested_offset", 0));
  return four;
}

/// One per block.
std::vector<float> absmax_of(const QuantizedModule& m, const FourBits& four, int64_t blocks) {
  if (!m.has("weight.nested_absmax")) return floats_of(m.shaped("weight.absmax", {Format::f32}, {blocks}));
  if (four.nested_block < 1) m.fail("weight.nested_absmax", "the quant_state has no nested_blocksize");
  const Tensor codes = m.shaped("weight.absmax", {Format::u8}, {blocks});
  const int64_t outer = (blocks + four.nested_block - 1) / four.nested_block;
  const Tensor scales = m.shaped("weight.nested_absmax", {Format::f32}, {outer});
  const Tensor map = m.shaped("weight.nested_quant_map", {Format::f32}, {256});
  std::vector<float> absmax(static_cast<size_t>(blocks));
  for (int64_t i = 0; i < blocks; ++i)  // two roundings
    absmax[static_cast<size_t>(i)] =
        map.data<float>()[codes.data<uint8_t>()[i]] * scales.data<float>()[i / four.nested_block] + four.nested_offset;
  return absmax;
}

CodedWeight four_bits(const QuantizedModule& m, const std::string& type) {
  const FourBits four = state_of(m, type);
  const int64_t rows = four.shape[0], columns = four.shape[1];
  const Tensor weight = m.shaped("weight", {Format::u8}, {rows * columns / 2, 1});
  const Tensor map = m.shaped("weight.quant_map", {Format::f32}, {16});
  const auto& known = type == "nf4" ? formats::kNf4 : formats::kFp4;
  if (std::memcmp(map.bytes(), known.data(), sizeof known) != 0)
    m.fail("weight.quant_map", "the numbers are not those of " + type);
  const int64_t groups = columns / kBlock;
  const auto read = [=,
                     absmax = absmax_of(m, four, (rows * columns + four.block - 1) / four.block)](const CodedRows& to) {
    const auto* codes = weight.data<uint8_t>() + to.begin * columns / 2;
    for (size_t i = 0; i < to.codes.size(); ++i) to.codes[i] = codes[i / 2] >> 4 * (1 - i % 2) & 15;
    for (size_t i = 0; i < to.scales.size(); ++i)
      to.scales[i] = absmax[static_cast<size_t>((to.begin * groups + static_cast<int64_t>(i)) * kBlock / four.block)];
  };
  return {.name = m.path("weight"),
          .stored = m.present({"weight", "weight.absmax", "weight.quant_map", "weight.nested_absmax",
                               "weight.nested_quant_map", "weight.quant_state.bitsandbytes__nf4",
                               "weight.quant_state.bitsandbytes__fp4"}),
          .shape = {rows, columns},
          .group = kBlock,
          .formats = {type == "nf4" ? Format::nf4_g64 : Format::fp4_g64},
          .scale_tensor = m.path("weight.absmax"),
          .read = read};
}

CodedWeight eight_bits(const QuantizedModule& m) {
  const Tensor weight = m.tensor("weight", {Format::i8}, 2);
  const int64_t rows = weight.shape[0], columns = weight.shape[1];
  if (m.has("weight_format") && *m.tensor("weight_format", {Format::u8}, 0).data<uint8_t>() != 0)
    m.fail("weight_format", "the weight is not stored row by row", "save the model again with a newer bitsandbytes");
  const auto read = [=, greatest = floats_of(m.shaped("SCB", {Format::f32}, {rows}))](const CodedRows& to) {
    std::memcpy(to.codes.data(), weight.bytes() + to.begin * columns, to.codes.size());
    for (int64_t r = 0; r < to.count; ++r)
      to.scales[static_cast<size_t>(r)] = greatest[static_cast<size_t>(to.begin + r)];
  };
  return {.name = m.path("weight"),
          .stored = m.present({"weight", "SCB", "weight_format"}),
          .shape = {rows, columns},
          .group = columns,
          .formats = {Format::llm_int8},
          .scale_tensor = m.path("SCB"),
          .read = read};
}

}  // namespace

SchemeReader bitsandbytes_scheme(const Config&) {
  return [](const QuantizedModule& m) -> std::vector<CodedWeight> {
    if (m.has("SCB")) return {eight_bits(m)};
    for (const char* type : {"nf4", "fp4"})
      if (m.has(std::string("weight.quant_state.bitsandbytes__") + type)) return {four_bits(m, type)};
    return {};
  };
}

}  // namespace braid
