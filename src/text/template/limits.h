#pragma once
// What one rendering of a chat template may spend.

#include <cstdint>

namespace braid::jinja {

/// The defaults fit every public template and the longest conversation with room to spare.
struct TemplateLimits {
  uint64_t max_text_bytes = 64ull << 20;  ///< of any string and of the output
  uint64_t max_steps = 10'000'000;        ///< expressions, statements, elements
  uint64_t max_bytes = 256ull << 20;      ///< of the values alive
  uint64_t max_range = 100'000;           ///< numbers of one range, elements of one repeated list
  uint32_t max_depth = 1'000;             ///< calls, blocks and expressions within each other
};

}  // namespace braid::jinja
