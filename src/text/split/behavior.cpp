#include "text/split/behavior.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace braid::text {
namespace {

struct Part {
  Span span;
  bool delimiter;
};

std::vector<Part> tile(uint32_t bytes, const std::vector<Span>& delimiters, bool invert) {
  std::vector<Part> parts;
  parts.reserve(2 * delimiters.size() + 1);
  uint32_t done = 0;
  for (const Span& d : delimiters) {
    if (d.begin > done) parts.push_back({{done, d.begin}, invert});
    parts.push_back({d, !invert});
    done = d.end;
  }
  if (done < bytes) parts.push_back({{done, bytes}, invert});
  return parts;
}

}  // namespace

Behavior read_behavior(const Json& name) {
  struct Name {
    std::string_view text;
    Behavior behavior;
  };
  static constexpr auto kNames = std::to_array<Name>({
      {"Removed", Behavior::removed},
      {"Isolated", Behavior::isolated},
      {"MergedWithPrevious", Behavior::merged_with_previous},
      {"MergedWithNext", Behavior::merged_with_next},
      {"Contiguous", Behavior::contiguous},
  });
  for (const Name& known : kNames) {
    if (known.text == name.as_string()) return known.behavior;
  }
  name.fail("the behaviour \"" + std::string(name.as_string()) + "\" is unknown",
            "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

void cut_at(uint32_t bytes, const std::vector<Span>& delimiters, Cut cut, std::vector<Span>& parts) {
  std::vector<Part> tiles = tile(bytes, delimiters, cut.invert);
  const bool backwards = cut.behavior == Behavior::merged_with_next;
  if (backwards) std::reverse(tiles.begin(), tiles.end());
  const size_t first = parts.size();
  bool after_delimiter = false;
  for (const auto& [span, delimiter] : tiles) {
    bool joins = false;  // the part before it, or after it when going backwards
    switch (cut.behavior) {
      case Behavior::removed:
        if (delimiter) continue;
        break;
      case Behavior::isolated:
        break;
      case Behavior::merged_with_previous:
      case Behavior::merged_with_next:
        joins = delimiter && !after_delimiter;
        break;
      case Behavior::contiguous:
        joins = delimiter == after_delimiter;
        break;
    }
    after_delimiter = delimiter;
    if (!joins || parts.size() == first)
      parts.push_back(span);
    else if (backwards)
      parts.back().begin = span.begin;
    else
      parts.back().end = span.end;
  }
  if (backwards) std::reverse(parts.begin() + static_cast<std::ptrdiff_t>(first), parts.end());
}

}  // namespace braid::text
