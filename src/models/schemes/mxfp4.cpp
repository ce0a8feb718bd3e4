// mxfp4 as gpt-oss (arXiv:2508.10925) publishes its experts: NAME_blocks (experts, out, in / 32, 16), the even input in
// the low nibble, and NAME_scales (experts, out, in / 32), exponents over 127. The families' NAME is (experts, in,
// out).
#include "formats/e2m1.h"
#include "models/schemes/scheme.h"

namespace braid {
namespace {

constexpr int64_t kGroup = 32;

CodedWeight experts(const QuantizedModule& m, const std::string& name) {
  const Tensor blocks = m.tensor(name + "_blocks", {Format::u8}, 4);
  const int64_t count = blocks.shape[0], rows = blocks.shape[1], groups = blocks.shape[2];
  m.shaped(name + "_blocks", {Format::u8}, {count, rows, groups, kGroup / 2});
  const Tensor scales = m.shaped(name + "_scales", {Format::u8}, {count, rows, groups});
  const auto read = [=](const CodedRows& to) {
    const auto* codes = blocks.data<uint8_t>() + to.begin * groups * kGroup / 2;
    for (size_t i = 0; i < to.codes.size(); ++i) to.codes[i] = codes[i / 2] >> 4 * (i % 2) & 15;
    for (size_t i = 0; i < to.scales.size(); ++i)
      to.scales[i] = formats::e8m0(scales.data<uint8_t>()[static_cast<size_t>(to.begin * groups) + i]);
  };
  return {.name = m.path(name + "^T"),
          .stored = {m.path(name + "_blocks"), m.path(name + "_scales")},
          .shape = {count, rows, groups * kGroup},
          .transposed = true,
          .group = kGroup,
          .formats = {Format::mxfp4},
          .scale_tensor = m.path(name + "_scales"),
          .read = read};
}

}  // namespace

SchemeReader mxfp4_scheme(const Config&) {
  return [](const QuantizedModule& m) {
    std::vector<CodedWeight> weights;
    for (const char* name : {"gate_up_proj", "down_proj"})
      if (m.has(std::string(name) + "_blocks")) weights.push_back(experts(m, name));
    return weights;
  };
}

}  // namespace braid
