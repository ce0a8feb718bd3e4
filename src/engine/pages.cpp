#include "engine/pages.h"

#include <algorithm>
#include <numeric>

namespace braid {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

int64_t window_pages(const WindowNeeds& n) {
  if (n.window == 0) return 0;
  // L tokens touch at most ceil((L - 1) / page) + 1 pages; a sequence of t tokens in the step sees L = window - 1 + t.
  const int64_t each = ceil_div(n.window - 1, n.page_size) + 2;
  return std::min(n.sequences * each + ceil_div(n.step_tokens, n.page_size),
                  n.sequences * ceil_div(n.context, n.page_size));
}

PagePool::PagePool(int64_t pages) : free_(static_cast<size_t>(pages)), owners_(static_cast<size_t>(pages), 0) {
  std::iota(free_.rbegin(), free_.rend(), 0);
}

int32_t PagePool::take() {
  const int32_t page = free_.back();
  free_.pop_back();
  owners_[static_cast<size_t>(page)] = 1;
  return page;
}

void PagePool::release(int32_t page) {
  if (--owners_[static_cast<size_t>(page)] == 0) free_.push_back(page);
}

}  // namespace braid
