#pragma once
// Pieces: stretches of text on their way from the caller's text to tokens. A piece knows, byte for byte, which part of
// the original text it came from, however often it was rewritten and cut; offsets of tokens are read off that.

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/unicode/forms.h"

namespace braid::text {

/// Bytes [begin, end) of a text. 32 bits: Limits::max_text_bytes is far below.
struct Span {
  uint32_t begin;
  uint32_t end;
  bool operator==(const Span&) const = default;
};

/// A view of valid UTF-8 that an Arena or the caller owns, with its origin.
struct Piece {
  std::string_view text;
  const Span* origin =
      nullptr;         ///< for each byte of `text`, the character(s) of the original it came from; null: unchanged text
  uint32_t start = 0;  ///< unchanged text: where it begins in the original

  bool empty() const { return text.empty(); }
  /// Bytes [begin, end) of `text`, on character boundaries.
  Piece slice(size_t begin, size_t end) const;
  /// The part of the original that the non-empty [begin, end) came from (of unchanged text exactly these bytes).
  Span source(size_t begin, size_t end) const;
};

/// Owns the rewritten texts of one call.
class Arena {
 public:
  Piece keep(std::string text, std::vector<Span> origin);
  /// Other characters of the same lengths, at the places that those of `piece` have.
  Piece keep(std::string text, const Piece& piece);

 private:
  std::deque<std::string> texts_;
  std::deque<std::vector<Span>> origins_;
};

/// The text that `changes` describe, after its first `removed` characters were dropped. A new character shares the
/// origin of the one before it.
Piece rewrite(const Piece& piece, std::span<const unicode::Change> changes, size_t removed, Arena& arena);
/// `prefix` in front of a piece; it shares the origin of the first character. An empty piece stays empty.
Piece prepend(const Piece& piece, std::string_view prefix, Arena& arena);
/// `content` in place of each of the spans, which are sorted and do not overlap; it takes the origin of the last
/// replaced byte.
Piece replace(const Piece& piece, std::span<const Span> spans, std::string_view content, Arena& arena);
/// Only the characters for which keep(c) holds.
template <class Keep>
Piece filter(const Piece& piece, Keep keep, Arena& arena);
/// map(c) in place of each character.
template <class Map>
Piece map(const Piece& piece, Map map, Arena& arena);
/// Each byte as the character that spells it in the byte alphabet.
Piece spell_bytes(const Piece& piece, Arena& arena);

}  // namespace braid::text

#include "text/base/piece_inl.h"
