// GPTQ (arXiv:2210.17323; AutoGPTQ, GPTQModel). qweight int32 (in · bits / 32, out), packed down the input axis, lowest
// bits first; qzeros (groups, out · bits / 32); scales (groups, out); g_idx (in) gives each input's group: with
// desc_act it is not monotonous. value = scale · (code - zero). Unless checkpoint_format is gptq_v2, zero - 1 is
// stored; the 1 was taken from the packed word as a whole, so it is added to the word: a zero of 0 had borrowed from
// its neighbour.
#include <algorithm>
#include <array>

#include "models/schemes/scheme.h"

namespace braid {
namespace {

/// The zero points of a group's words, in the order of the outputs.
std::vector<uint8_t> zeros_of(const Tensor& qzeros, int64_t outputs, int bits, bool less_one) {
  const int64_t groups = qzeros.shape[0], words = qzeros.shape[1];
  std::vector<uint8_t> zeros(static_cast<size_t>(groups * outputs));
  const bool whole = 32 % bits == 0;
  uint32_t ones = 0;
  for (int i = 0; i + bits <= 32; i += bits) ones |= 1u << i;
  std::vector<uint32_t> row(static_cast<size_t>(words));
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t i = 0; i < words; ++i)
      row[static_cast<size_t>(i)] = qzeros.data<uint32_t>()[g * words + i] + (less_one && whole ? ones : 0);
    for (int64_t o = 0; o < outputs; ++o) {
      int zero = bits_at(row.data(), 1, bits, o);
      if (less_one && !whole) zero = (zero + 1) % (1 << bits);
      zeros[static_cast<size_t>(g * outputs + o)] = static_cast<uint8_t>(zero);
    }
  }
  return zeros;
}

/// Whether g_idx says no more than column / group.
bool in_order(std::span<const int32_t> group_of, int64_t group) {
  for (size_t i = 0; i < group_of.size(); ++i)
    if (group_of[i] != static_cast<int32_t>(static_cast<int64_t>(i) / group)) return false;
  return true;
}

}  // namespace

CodedWeight gptq_weight(const QuantizedModule& m, bool zeros_less_one) {
  const Tensor scales = m.tensor("scales", {Format::f16, Format::bf16, Format::f32}, 2);
  const Tensor qzeros = m.tensor("qzeros", {Format::i32}, 2), qweight = m.tensor("qweight", {Format::i32}, 2);
  const int64_t groups = scales.shape[0], rows = scales.shape[1];
  const int64_t bits = qzeros.shape[1] * 32 / rows;
  constexpr std::array<int64_t, 4> kBits = {2, 3, 4, 8};
  if (std::ranges::find(kBits, bits) == kBits.end() || qzeros.shape[1] * 32 != rows * bits)
    m.fail("qzeros", std::to_string(qzeros.shape[1]) + " words for " + std::to_string(rows) +
                         " outputs are no zero points of 2, 3, 4 or 8 bits");
  m.shaped("qzeros", {Format::i32}, {groups, rows * bits / 32});
  const int64_t columns = qweight.shape[0] * 32 / bits;
  m.shaped("qweight", {Format::i32}, {columns * bits / 32, rows});
  if (columns % groups != 0)
    m.fail("scales", std::to_string(groups) + " groups do not divide " + std::to_string(columns) + " inputs",
           "the group size does not fit");
  CodedWeight w{.name = m.path("weight"),
                .stored = m.present({"qweight", "qzeros", "scales", "g_idx"}),
                .shape = {rows, columns},
                .group = columns / groups,
                .formats = integer_formats(static_cast<int>(bits)),
                .scale_tensor = m.path("scales"),
                .read = {}};
  if (m.has("g_idx")) {
    const Tensor g_idx = m.shaped("g_idx", {Format::i32}, {columns});
    const std::span<const int32_t> group_of(g_idx.data<int32_t>(), static_cast<size_t>(columns));
    for (size_t i = 0; i < group_of.size(); ++i)
      if (group_of[i] < 0 || group_of[i] >= groups)
        m.fail("g_idx",
               "input " + std::to_string(i) + " is of group " + std::to_string(group_of[i]) + ", but there are " +
                   std::to_string(groups),
               "the file is damaged: download the model again", static_cast<int64_t>(i));
    if (!in_order(group_of, w.group)) w.group_of.assign(group_of.begin(), group_of.end());
  }
  w.read = [=, scale = floats_of(scales),
            zeros = zeros_of(qzeros, rows, static_cast<int>(bits), zeros_less_one)](const CodedRows& to) {
    const auto* words = qweight.data<uint32_t>();
    for (int64_t c = 0; c < columns; ++c)
      for (int64_t r = 0; r < to.count; ++r)
        to.codes[static_cast<size_t>(r * columns + c)] = bits_at(words + to.begin + r, rows, static_cast<int>(bits), c);
    for (int64_t r = 0; r < to.count; ++r)
      for (int64_t g = 0; g < groups; ++g) {
        const auto at = static_cast<size_t>(g * rows + to.begin + r), into = static_cast<size_t>(r * groups + g);
        to.scales[into] = scale[at];
        to.zeros[into] = zeros[at];
      }
  };
  return w;
}

SchemeReader gptq_scheme(const Config& how) {
  const int64_t bits = how.int_at("bits", {2, 8});
  const int64_t group = how.int_or("group_size", -1, {-1, kSizeRange.most});
  const bool fixed = !how.has("dynamic");  // GPTQModel: patterns of modules with bits and groups of their own
  const bool less_one = how.string_or("checkpoint_format", "gptq") != "gptq_v2";
  return [=](const QuantizedModule& m) -> std::vector<CodedWeight> {
    if (!m.has("qweight")) return {};
    CodedWeight w = gptq_weight(m, less_one);
    if (fixed && m.entry("qweight").shape[0] * 32 != w.columns() * bits)
      m.fail("qweight", "the weight does not have the config's " + std::to_string(bits) + " bits");
    if (fixed && w.group != (group < 0 ? w.columns() : group) && group < w.columns())
      m.fail("scales",
             "the groups are of " + std::to_string(w.group) + " inputs, but the config says " + std::to_string(group));
    return {std::move(w)};
  };
}

}  // namespace braid
