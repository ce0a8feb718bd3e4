// fp8 as DeepSeek-V3 (arXiv:2412.19437) and Qwen3 publish it: weight e4m3, and weight_scale_inv, which multiplies, one
// for each block of weight_block_size. The last block of a row or column may be short.
#include <algorithm>
#include <cstring>

#include "models/schemes/scheme.h"

namespace braid {

SchemeReader fp8_scheme(const Config& how) {
  const std::vector<int64_t> block = how.ints_or("weight_block_size", {128, 128}, kSizeRange);
  if (block.size() != 2) how.fail("weight_block_size", "expected the rows and the columns of a block");
  return [=](const QuantizedModule& m) -> std::vector<CodedWeight> {
    if (!m.has("weight_scale_inv")) return {};
    const Tensor weight = m.tensor("weight", {Format::f8e4m3}, 2);
    const int64_t rows = weight.shape[0], columns = weight.shape[1];
    const int64_t grid = (columns + block[1] - 1) / block[1];
    const Tensor scales =
        m.shaped("weight_scale_inv", {Format::f32, Format::bf16}, {(rows + block[0] - 1) / block[0], grid});
    const auto read = [=, scale = floats_of(scales)](const CodedRows& to) {
      std::memcpy(to.codes.data(), weight.bytes() + to.begin * columns, to.codes.size());
      for (int64_t r = 0; r < to.count; ++r)
        std::copy_n(scale.begin() + (to.begin + r) / block[0] * grid, grid, to.scales.begin() + r * grid);
    };
    return {{.name = m.path("weight"),
             .stored = m.present({"weight", "weight_scale_inv", "input_scale", "activation_scale"}),
             .shape = {rows, columns},
             .group = block[1],
             .formats = {Format::e4m3_g128, Format::e4m3_g32},
             .scale_tensor = m.path("weight_scale_inv"),
             .read = read}};
  };
}

}  // namespace braid
