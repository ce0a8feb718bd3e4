#pragma once
// The template of split/behavior.h.

#include "text/split/behavior.h"
#include "text/unicode/utf8.h"

namespace braid::text {

template <class Predicate, class Emit>
void cut_at_characters(const Piece& piece, Predicate is_delimiter, Cut cut, Emit emit) {
  std::vector<Span> delimiters, parts;
  for (size_t at = 0; at < piece.text.size();) {
    const utf8::Character c = utf8::decode(piece.text, at);
    const auto begin = static_cast<uint32_t>(at);
    if (is_delimiter(c.code_point)) delimiters.push_back({begin, begin + c.bytes});
    at += c.bytes;
  }
  cut_at(static_cast<uint32_t>(piece.text.size()), delimiters, cut, parts);
  for (const Span& part : parts) emit(piece.slice(part.begin, part.end));
}

}  // namespace braid::text
