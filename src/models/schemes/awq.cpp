// AWQ (arXiv:2306.00978), version "gemm". qweight int32 (in, out / 8): eight outputs in the nibbles 0 4 1 5 2 6 3 7 of
// a word; qzeros (groups, out / 8) alike; scales (groups, out). value = scale · (code - zero).
#include <array>

#include "models/schemes/scheme.h"

namespace braid {
namespace {

uint8_t nibble(const uint32_t* row, int64_t output) {
  constexpr std::array<int, 8> kPlace = {0, 4, 1, 5, 2, 6, 3, 7};
  return static_cast<uint8_t>(row[output / 8] >> 4 * kPlace[static_cast<size_t>(output % 8)] & 15);
}

}  // namespace

CodedWeight awq_weight(const QuantizedModule& m) {
  const Tensor scales = m.tensor("scales", {Format::f16, Format::bf16, Format::f32}, 2);
  const int64_t groups = scales.shape[0], rows = scales.shape[1];
  if (rows % 8 != 0) m.fail("scales", std::to_string(rows) + " outputs are no whole words");
  const int64_t columns = m.tensor("qweight", {Format::i32}, 2).shape[0];
  const Tensor qweight = m.shaped("qweight", {Format::i32}, {columns, rows / 8});
  const Tensor qzeros = m.shaped("qzeros", {Format::i32}, {groups, rows / 8});
  if (columns % groups != 0)
    m.fail("scales", std::to_string(groups) + " groups do not divide " + std::to_string(columns) + " inputs",
           "the group size does not fit");
  CodedWeight w{.name = m.path("weight"),
                .stored = m.present({"qweight", "qzeros", "scales"}),
                .shape = {rows, columns},
                .group = columns / groups,
                .formats = integer_formats(4),
                .scale_tensor = m.path("scales"),
                .read = {}};
  w.read = [=, scale = floats_of(scales)](const CodedRows& to) {
    for (int64_t c = 0; c < columns; ++c)
      for (int64_t r = 0; r < to.count; ++r)
        to.codes[static_cast<size_t>(r * columns + c)] = nibble(qweight.data<uint32_t>() + c * rows / 8, to.begin + r);
    for (int64_t r = 0; r < to.count; ++r)
      for (int64_t g = 0; g < groups; ++g) {
        const auto into = static_cast<size_t>(r * groups + g);
        to.scales[into] = scale[static_cast<size_t>(g * rows + to.begin + r)];
        to.zeros[into] = nibble(qzeros.data<uint32_t>() + g * rows / 8, to.begin + r);
      }
  };
  return w;
}

SchemeReader awq_scheme(const Config& how) {
  if (how.int_at("bits") != 4) how.fail("bits", "AWQ weights have 4 bits");
  const int64_t group = how.int_or("group_size", -1, {-1, kSizeRange.most});
  if (const std::string version = how.string_or("version", "gemm"); version != "gemm" && version != "GEMM")
    how.fail("version", "AWQ's layout \"" + version + "\" is not supported", "take a checkpoint of version gemm");
  return [=](const QuantizedModule& m) -> std::vector<CodedWeight> {
    if (!m.has("qweight")) return {};
    CodedWeight w = awq_weight(m);
    if (w.group != (group < 0 ? w.columns() : group) && group < w.columns())
      m.fail("scales",
             "the groups are of " + std::to_string(w.group) + " inputs, but the config says " + std::to_string(group));
    return {std::move(w)};
  };
}

}  // namespace braid
