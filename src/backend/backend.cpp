#include "backend/backend.h"

#include <cstring>

namespace braid {

void Backend::copy_row(const Tensor& pool, int64_t from, int64_t to) {
  const size_t bytes = pool.byte_size() / static_cast<size_t>(pool.shape.front());
  std::memcpy(pool.bytes() + static_cast<size_t>(to) * bytes, pool.bytes() + static_cast<size_t>(from) * bytes, bytes);
}

}  // namespace braid
