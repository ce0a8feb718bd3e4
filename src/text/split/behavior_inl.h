#pragma once
// The template of split/behavior.h.

#include "text/split/behavior.h"
#include "text/unicode/utf8.h"

namespace braid::text {

/// The stretches between delimiters, and each delimiter where they are `kept`: what most pre-tokenisers want.
template <class Predicate, class Emit>
void cut_out(const Piece& piece, Predicate is_delimiter, bool kept, Emit emit) {
  size_t begin = 0;
  for (size_t at = 0; at < piece.text.size();) {
    const utf8::Character c = utf8::decode(piece.text, at);
    if (is_delimiter(c.code_point)) {
      if (at > begin) emit(piece.slice(begin, at));
      begin = at + c.bytes;
      if (kept) emit(piece.slice(at, begin));
    }
    at += c.bytes;
  }
  if (begin < piece.text.size()) emit(piece.slice(begin, piece.text.size()));
}

template <class Predicate, class Emit>
void cut_at_characters(const Piece& piece, Predicate is_delimiter, Cut cut, Emit emit) {
  const bool kept = cut.behavior == Behavior::isolated;
  if ((kept || cut.behavior == Behavior::removed) && !cut.invert) return cut_out(piece, is_delimiter, kept, emit);
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
