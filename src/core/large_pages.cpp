#include "core/large_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace braid {

void prefer_huge_pages(void* data, size_t bytes) noexcept {
  const auto begin = reinterpret_cast<uintptr_t>(data);
  const uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage,
                  last = (begin + bytes) / kHugePage * kHugePage;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

}  // namespace braid
