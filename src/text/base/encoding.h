#pragma once
// What encoding gives.

#include <cstdint>
#include <utility>
#include <vector>

namespace braid::text {

/// Tokens of a text or of a pair; all three have one entry per token.
struct Encoding {
  std::vector<int32_t> ids;
  /// [begin, end) in code points of the original text (in a pair, of the token's own text); (0, 0) for tokens that a
  /// template added.
  std::vector<std::pair<int64_t, int64_t>> offsets;
  std::vector<int32_t> type_ids;
};

}  // namespace braid::text
