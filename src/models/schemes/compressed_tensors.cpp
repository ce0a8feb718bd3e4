// compressed-tensors (vLLM, llm-compressor). The tensors of a module say which of its formats it has:
//   weight_packed int32, weight_shape       pack-quantized: code + 2^(bits-1) along the row, one dense stream of bits;
//                                           weight_zero_point packed alike, but down the rows
//   weight int8                             int-quantized, naive-quantized
//   weight e4m3                             float-quantized; with weight_scale uint8 (an exponent): mxfp8
//   weight_packed uint8, weight_global_scale    nvfp4-pack-quantized: e2m1, the even column low; the scale is divided
//   weight_packed uint8                     mxfp4-pack-quantized
// weight_scale is one number, one per row, (rows, groups), or a grid of blocks. Weights are read as they are; that a
// scheme quantises activations too is not followed.
#include <array>
#include <cstring>
#include <set>

#include "formats/e2m1.h"
#include "models/schemes/scheme.h"

namespace braid {
namespace {

/// What config_groups say of all modules together.
struct Groups {
  std::set<int64_t> sizes;     // of the groups that have one
  std::vector<int64_t> block;  // block_structure
};

Groups groups_of(const Config& how) {
  Groups groups;
  const Json all = how.at("config_groups");
  for (size_t i = 0; i < all.size(); ++i) {
    const auto weights = all.value(i).find("weights");
    if (!weights || !weights->is_object()) continue;
    const auto size = weights->find("group_size");
    if (size && size->kind() == Json::Kind::integer && size->as_int() > 0) groups.sizes.insert(size->as_int());
    const auto block = weights->find("block_structure");
    if (!block || !block->is_array()) continue;
    groups.block.clear();
    for (size_t k = 0; k < block->size(); ++k) groups.block.push_back((*block)[k].as_int());
    if (groups.block.size() != 2 || groups.block[0] < 1 || groups.block[1] < 1)
      block->fail("expected the rows and the columns of a block");
  }
  return groups;
}

/// Where the scale of (row, group) lies.
struct Scales {
  std::vector<float> numbers;
  int64_t rows = 1;    // that share a row of `numbers`
  int64_t stride = 1;  // groups of a row; 0: one number for all
  int64_t group = 0;   // columns

  void fill(const CodedRows& to, int64_t groups) const {
    for (int64_t r = 0; r < to.count; ++r)
      for (int64_t g = 0; g < groups; ++g)
        to.scales[static_cast<size_t>(r * groups + g)] =
            stride == 0 ? numbers[0] : numbers[static_cast<size_t>((to.begin + r) / rows * stride + g)];
  }
};

Scales scales_of(const QuantizedModule& m, int64_t rows, int64_t columns, const Groups& config) {
  const TensorEntry& entry = m.entry("weight_scale");
  const Tensor tensor = m.tensor("weight_scale", {Format::f32, Format::f16, Format::bf16, Format::u8, Format::f8e4m3},
                                 entry.shape.size());
  Scales scales{.numbers = floats_of(tensor)};
  if (tensor.format == Format::u8)
    for (size_t i = 0; i < scales.numbers.size(); ++i) scales.numbers[i] = formats::e8m0(tensor.data<uint8_t>()[i]);
  if (tensor.elements() == 1 && (rows != 1 || entry.shape.size() < 2)) {
    scales.stride = 0;
    scales.group = columns;
    return scales;
  }
  if (entry.shape.size() != 2) m.fail("weight_scale", "expected one number, or one for each row and group");
  scales.stride = entry.shape[1];
  if (!config.block.empty()) {
    m.shaped("weight_scale", {tensor.format},
             {(rows + config.block[0] - 1) / config.block[0], (columns + config.block[1] - 1) / config.block[1]});
    scales.rows = config.block[0];
    scales.group = config.block[1];
    return scales;
  }
  m.shaped("weight_scale", {tensor.format}, {rows, scales.stride});
  if (columns % scales.stride != 0)
    m.fail("weight_scale",
           std::to_string(scales.stride) + " groups do not divide " + std::to_string(columns) + " columns",
           "the group size does not fit");
  scales.group = columns / scales.stride;
  if (scales.stride > 1 && !config.sizes.empty() && !config.sizes.contains(scales.group))
    m.fail("weight_scale",
           "the groups are of " + std::to_string(scales.group) + " columns, which is no group_size of the config");
  return scales;
}

CodedWeight weight_of(const QuantizedModule& m, std::vector<int64_t> shape, const Scales& scales) {
  return {.name = m.path("weight"),
          .stored =
              m.present({"weight", "weight_packed", "weight_shape", "weight_scale", "weight_zero_point", "weight_g_idx",
                         "weight_global_scale", "input_scale", "input_zero_point", "input_global_scale"}),
          .shape = std::move(shape),
          .group = scales.group,
          .formats = {},
          .scale_tensor = m.path("weight_scale"),
          .read = {}};
}

void read_order(const QuantizedModule& m, CodedWeight& w) {
  if (!m.has("weight_g_idx")) return;
  const Tensor g_idx = m.shaped("weight_g_idx", {Format::i32}, {w.columns()});
  bool ordered = true;
  for (int64_t c = 0; c < w.columns(); ++c) {
    const int32_t group = g_idx.data<int32_t>()[c];
    if (group < 0 || group >= w.groups())
      m.fail("weight_g_idx",
             "column " + std::to_string(c) + " is of group " + std::to_string(group) + ", but there are " +
                 std::to_string(w.groups()),
             "the file is damaged: download the model again", c);
    ordered = ordered && group == c / w.group;
    w.group_of.push_back(group);
  }
  if (ordered) w.group_of.clear();
}

std::vector<int64_t> written_shape(const QuantizedModule& m) {
  const Tensor shape = m.shaped("weight_shape", {Format::i64, Format::i32}, {2});
  std::vector<int64_t> sizes;
  for (int i = 0; i < 2; ++i) {
    sizes.push_back(shape.format == Format::i64 ? shape.data<int64_t>()[i] : shape.data<int32_t>()[i]);
    if (sizes.back() < kSizeRange.least || sizes.back() > kSizeRange.most)
      m.fail("weight_shape", "the size " + std::to_string(sizes.back()) + " is out of range", {}, i);
  }
  return sizes;
}

CodedWeight packed_integers(const QuantizedModule& m, const Groups& config) {
  const std::vector<int64_t> shape = written_shape(m);
  const int64_t rows = shape[0], columns = shape[1], words = m.tensor("weight_packed", {Format::i32}, 2).shape[1];
  const auto bits = static_cast<int>(words * 32 / columns);
  if (bits < 2 || bits > 8 || (columns * bits + 31) / 32 != words)
    m.fail(
        "weight_packed",
        std::to_string(words) + " words for " + std::to_string(columns) + " columns are no dense stream of 2 to 8 bits",
        "older releases padded each word: save the model again with a newer compressed-tensors");
  const Tensor packed = m.shaped("weight_packed", {Format::i32}, {rows, words});
  const Scales scales = scales_of(m, rows, columns, config);
  CodedWeight w = weight_of(m, shape, scales);
  w.formats = integer_formats(bits);
  read_order(m, w);
  std::optional<Tensor> zeros;
  const int64_t groups = w.groups();
  if (m.has("weight_zero_point"))
    zeros = m.shaped("weight_zero_point", {Format::i32}, {(rows * bits + 31) / 32, groups});
  w.read = [=](const CodedRows& to) {
    for (int64_t r = 0; r < to.count; ++r)
      for (int64_t c = 0; c < columns; ++c)
        to.codes[static_cast<size_t>(r * columns + c)] =
            bits_at(packed.data<uint32_t>() + (to.begin + r) * words, 1, bits, c);
    scales.fill(to, groups);
    for (int64_t r = 0; r < to.count; ++r)
      for (int64_t g = 0; g < groups; ++g)
        to.zeros[static_cast<size_t>(r * groups + g)] =
            zeros ? bits_at(zeros->data<uint32_t>() + g, groups, bits, to.begin + r)
                  : static_cast<uint8_t>(1 << (bits - 1));
  };
  return w;
}

CodedWeight plain_bytes(const QuantizedModule& m, const Groups& config) {
  const Tensor weight = m.tensor("weight", {Format::i8, Format::f8e4m3}, 2);
  const int64_t rows = weight.shape[0], columns = weight.shape[1];
  const Scales scales = scales_of(m, rows, columns, config);
  CodedWeight w = weight_of(m, weight.shape, scales);
  const bool integers = weight.format == Format::i8;
  w.formats = integers ? integer_formats(8) : std::vector{Format::e4m3_g128, Format::e4m3_g32};
  const int64_t groups = w.groups();
  std::optional<Tensor> zeros;
  if (integers && m.has("weight_zero_point"))
    zeros = m.shaped("weight_zero_point", {Format::i8}, m.entry("weight_scale").shape);
  w.read = [=](const CodedRows& to) {
    std::memcpy(to.codes.data(), weight.bytes() + to.begin * columns, to.codes.size());
    scales.fill(to, groups);
    if (!integers) return;
    for (uint8_t& code : to.codes) code ^= 0x80u;  // + 128
    for (int64_t r = 0; r < to.count; ++r)
      for (int64_t g = 0; g < groups; ++g) {
        const int64_t at = scales.stride == 0 ? 0 : (to.begin + r) / scales.rows * scales.stride + g;
        to.zeros[static_cast<size_t>(r * groups + g)] =
            static_cast<uint8_t>(128 + (zeros ? zeros->data<int8_t>()[at] : 0));
      }
  };
  return w;
}

CodedWeight small_floats(const QuantizedModule& m, const Groups& config) {
  const Tensor packed = m.tensor("weight_packed", {Format::u8}, 2);
  const int64_t rows = packed.shape[0], columns = 2 * packed.shape[1];
  Scales scales = scales_of(m, rows, columns, config);
  const bool two_levels = m.has("weight_global_scale");
  if (two_levels) {
    const float global = floats_of(m.shaped("weight_global_scale", {Format::f32}, {1})).front();
    for (float& scale : scales.numbers) scale /= global;
  } else if (m.entry("weight_scale").format != Format::u8) {
    m.fail("weight_scale", "mxfp4's scales are exponents in bytes");
  }
  CodedWeight w = weight_of(m, {rows, columns}, scales);
  w.formats = {two_levels ? Format::e2m1_g16 : Format::mxfp4};
  const int64_t groups = w.groups();
  w.read = [=](const CodedRows& to) {
    const auto* codes = packed.data<uint8_t>() + to.begin * columns / 2;
    for (size_t i = 0; i < to.codes.size(); ++i) to.codes[i] = codes[i / 2] >> 4 * (i % 2) & 15;
    scales.fill(to, groups);
  };
  return w;
}

}  // namespace

SchemeReader compressed_tensors_scheme(const Config& how) {
  if (const auto sparsity = how.find("sparsity_config"); sparsity && sparsity->is_object() && sparsity->size() > 0)
    if (const auto format = sparsity->find("format"); format && format->as_string() != "dense")
      how.fail("sparsity_config", "sparse weights (" + std::string(format->as_string()) + ") are not supported");
  return [groups = groups_of(how)](const QuantizedModule& m) -> std::vector<CodedWeight> {
    if (!m.has("weight_scale")) return {};
    if (m.has("weight")) return {plain_bytes(m, groups)};
    if (m.entry("weight_packed").format == Format::u8) return {small_floats(m, groups)};
    return {packed_integers(m, groups)};
  };
}

}  // namespace braid
