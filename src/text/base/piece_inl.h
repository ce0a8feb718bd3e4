#pragma once
// The templates of base/piece.h.

#include "text/base/piece.h"
#include "text/unicode/utf8.h"

namespace braid::text {

template <class Keep>
Piece filter(const Piece& piece, Keep keep, Arena& arena) {
  const auto all_stay = [&] {
    for (size_t at = 0; at < piece.text.size();) {
      const utf8::Character c = utf8::decode(piece.text, at);
      if (!keep(c.code_point)) return false;
      at += c.bytes;
    }
    return true;
  };
  if (all_stay()) return piece;
  std::vector<unicode::Change> changes;
  size_t removed_first = 0;
  for (size_t at = 0; at < piece.text.size();) {
    const utf8::Character c = utf8::decode(piece.text, at);
    at += c.bytes;
    if (keep(c.code_point)) {
      changes.push_back({c.code_point, 0});
      continue;
    }
    if (changes.empty())
      ++removed_first;
    else
      --changes.back().change;
  }
  return rewrite(piece, changes, removed_first, arena);
}

template <class Map>
Piece map(const Piece& piece, Map map, Arena& arena) {
  // Most characters keep their length, so that a copy is overwritten and the places stay as they are.
  std::string text(piece.text);
  bool changed = false, same_places = true;
  for (size_t at = 0; at < text.size() && same_places;) {
    const utf8::Character c = utf8::decode(text, at);
    const char32_t mapped = map(c.code_point);
    if (mapped != c.code_point) {
      changed = true;
      same_places = utf8::overwrite(text, at, c.bytes, mapped);
    }
    at += c.bytes;
  }
  if (same_places) return changed ? arena.keep(std::move(text), piece) : piece;
  std::vector<unicode::Change> changes;
  for (size_t at = 0; at < piece.text.size();) {
    const utf8::Character c = utf8::decode(piece.text, at);
    at += c.bytes;
    changes.push_back({map(c.code_point), 0});
  }
  return rewrite(piece, changes, 0, arena);
}

}  // namespace braid::text
