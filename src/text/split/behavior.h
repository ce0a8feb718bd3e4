#pragma once
// What becomes of the delimiters that a pattern finds.

#include <cstdint>
#include <vector>

#include "core/json.h"
#include "text/base/piece.h"

namespace braid::text {

/// "the-final--countdown" cut at "-": removed gives the, final, countdown; isolated the, -, final, -, -, countdown;
/// merged_with_previous the-, final-, -, countdown; merged_with_next the, -final, -, -countdown; contiguous the, -,
/// final, --, countdown.
enum class Behavior : uint8_t { removed, isolated, merged_with_previous, merged_with_next, contiguous };

Behavior read_behavior(const Json& name);

struct Cut {
  Behavior behavior = Behavior::isolated;
  bool invert = false;  ///< what lies between the matches is the delimiter
};

/// The parts of a text of `bytes` bytes, given the delimiters found in it (sorted, not overlapping).
void cut_at(uint32_t bytes, const std::vector<Span>& delimiters, Cut cut, std::vector<Span>& parts);

/// Cuts a piece at the characters for which is_delimiter holds.
template <class Predicate, class Emit>
void cut_at_characters(const Piece& piece, Predicate is_delimiter, Cut cut, Emit emit);

}  // namespace braid::text

#include "text/split/behavior_inl.h"
