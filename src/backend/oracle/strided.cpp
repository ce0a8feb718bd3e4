#include "backend/oracle/strided.h"

#include <cstring>

#include "backend/oracle/program.h"

namespace braid::oracle {

BroadcastRows::BroadcastRows(const std::vector<int64_t>& shape, std::span<const Tensor> operands) {
  const size_t rank = shape.size();
  std::vector<std::array<int64_t, 3>> strides(rank);
  for (size_t o = 0; o < operands.size(); ++o) {
    int64_t stride = 1;
    const auto& sizes = operands[o].shape;
    for (size_t i = 0; i < sizes.size(); ++i) {  // from the last dimension
      const int64_t size = sizes[sizes.size() - 1 - i];
      strides[rank - 1 - i][o] = size == 1 ? 0 : stride;
      stride *= size;
    }
  }
  // Dimensions that lie one in another for all operands are one.
  std::vector<int64_t> merged_sizes;
  std::vector<std::array<int64_t, 3>> merged;
  for (size_t i = rank; i-- > 0;) {
    if (shape[i] == 1) continue;
    bool joins = !merged.empty();
    for (size_t o = 0; joins && o < operands.size(); ++o)
      joins = strides[i][o] == merged.front()[o] * merged_sizes.front();
    if (joins) {
      merged_sizes.front() *= shape[i];
    } else {
      merged_sizes.insert(merged_sizes.begin(), shape[i]);
      merged.insert(merged.begin(), strides[i]);
    }
  }
  if (!merged.empty()) {
    length_ = merged_sizes.back();
    steps_ = merged.back();
    merged_sizes.pop_back();
    merged.pop_back();
  }
  outer_ = std::move(merged_sizes);
  strides_ = std::move(merged);
  for (int64_t n : outer_) rows_ *= n;
}

std::array<int64_t, 3> BroadcastRows::starts(int64_t row) const {
  std::array<int64_t, 3> start{};
  for (size_t i = outer_.size(); i-- > 0;) {
    const int64_t at = row % outer_[i];
    row /= outer_[i];
    for (size_t o = 0; o < 3; ++o) start[o] += at * strides_[i][o];
  }
  return start;
}

void copy_strided(const std::byte* from, std::byte* to, StridedView view) {
  while (!view.sizes.empty() && view.strides.back() == view.chunk) {  // what lies together is copied together
    view.chunk *= view.sizes.back();
    view.sizes.pop_back();
    view.strides.pop_back();
  }
  int64_t inner = 1, stride = 0;
  if (!view.sizes.empty()) {
    inner = view.sizes.back();
    stride = view.strides.back();
    view.sizes.pop_back();
    view.strides.pop_back();
  }
  int64_t rows = 1;
  for (int64_t n : view.sizes) rows *= n;
  const int64_t chunk = view.chunk;
  for_ranges(rows, static_cast<double>(inner), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const std::byte* source = from + view.offset;
      for (int64_t i = static_cast<int64_t>(view.sizes.size()), rest = row; i-- > 0;) {
        source += rest % view.sizes[static_cast<size_t>(i)] * view.strides[static_cast<size_t>(i)];
        rest /= view.sizes[static_cast<size_t>(i)];
      }
      std::byte* target = to + row * inner * chunk;
      if (chunk == 4) {
        for (int64_t j = 0; j < inner; ++j) std::memcpy(target + j * 4, source + j * stride, 4);
      } else {
        for (int64_t j = 0; j < inner; ++j)
          std::memcpy(target + j * chunk, source + j * stride, static_cast<size_t>(chunk));
      }
    }
  });
}

}  // namespace braid::oracle
