#pragma once
// The templates of base/piece.h.

#include "text/base/piece.h"
#include "text/unicode/utf8.h"

namespace braid::text {

template <class Keep>
Piece filter(const Piece& piece, Keep keep, Arena& arena) {
  std::vector<unicode::Change> changes;
  size_t removed_first = 0;
  bool removed_any = false;
  for (size_t at = 0; at < piece.text.size();) {
    const utf8::Character c = utf8::decode(piece.text, at);
    at += c.bytes;
    if (keep(c.code_point)) {
      changes.push_back({c.code_point, 0});
      continue;
    }
    removed_any = true;
    if (changes.empty())
      ++removed_first;
    else
      --changes.back().change;
  }
  return removed_any ? rewrite(piece, changes, removed_first, arena) : piece;
}

template <class Map>
Piece map(const Piece& piece, Map map, Arena& arena) {
  std::vector<unicode::Change> changes;
  bool changed = false;
  for (size_t at = 0; at < piece.text.size();) {
    const utf8::Character c = utf8::decode(piece.text, at);
    at += c.bytes;
    const char32_t mapped = map(c.code_point);
    changed |= mapped != c.code_point;
    changes.push_back({mapped, 0});
  }
  return changed ? rewrite(piece, changes, 0, arena) : piece;
}

}  // namespace braid::text
