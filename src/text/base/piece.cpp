#include "text/base/piece.h"

#include <algorithm>

#include "text/unicode/byte_alphabet.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

/// The origin of byte `at`: whole characters, also for unchanged text.
Span origin_of(const Piece& piece, size_t at) {
  if (piece.origin != nullptr) return piece.origin[at];
  size_t begin = at;
  while (begin > 0 && utf8::is_continuation(piece.text[begin])) --begin;
  const auto first = static_cast<uint32_t>(piece.start + begin);
  return {first, first + utf8::length(piece.text[begin])};
}

void copy(const Piece& piece, size_t begin, size_t end, std::string& text, std::vector<Span>& origin) {
  text.append(piece.text, begin, end - begin);
  if (piece.origin != nullptr) {
    origin.insert(origin.end(), piece.origin + begin, piece.origin + end);
    return;
  }
  for (size_t at = begin; at < end;) {
    const Span whole = origin_of(piece, at);
    const size_t stop = std::min<size_t>(end, at + (whole.end - whole.begin));
    origin.insert(origin.end(), stop - at, whole);
    at = stop;
  }
}

/// Byte after `count` characters from byte `at`.
size_t skip(std::string_view text, size_t at, size_t count) {
  for (; count > 0 && at < text.size(); --count) at += utf8::length(text[at]);
  return at;
}

}  // namespace

Piece Piece::slice(size_t begin, size_t end) const {
  return {text.substr(begin, end - begin), origin == nullptr ? nullptr : origin + begin,
          static_cast<uint32_t>(start + begin)};
}

Span Piece::source(size_t begin, size_t end) const {
  if (origin == nullptr) return {static_cast<uint32_t>(start + begin), static_cast<uint32_t>(start + end)};
  return {origin[begin].begin, origin[end - 1].end};
}

Piece Arena::keep(std::string text, std::vector<Span> origin) {
  texts_.push_back(std::move(text));
  origins_.push_back(std::move(origin));
  return {texts_.back(), origins_.back().data(), 0};
}

Piece Arena::keep(std::string text, const Piece& piece) {
  texts_.push_back(std::move(text));
  return {texts_.back(), piece.origin, piece.start};
}

Piece rewrite(const Piece& piece, std::span<const unicode::Change> changes, size_t removed, Arena& arena) {
  std::string text;
  std::vector<Span> origin;
  text.reserve(piece.text.size() + 16);
  origin.reserve(piece.text.size() + 16);
  size_t at = skip(piece.text, 0, removed);
  for (const auto& [code_point, change] : changes) {
    Span from{0, 0};
    if (change > 0) {
      if (at > 0) from = origin_of(piece, at - 1);
    } else {
      if (at < piece.text.size()) from = origin_of(piece, at);
      at = skip(piece.text, at, 1 + static_cast<size_t>(-change));
    }
    const size_t before = text.size();
    utf8::append(text, code_point);
    origin.insert(origin.end(), text.size() - before, from);
  }
  return arena.keep(std::move(text), std::move(origin));
}

Piece prepend(const Piece& piece, std::string_view prefix, Arena& arena) {
  if (piece.empty() || prefix.empty()) return piece;
  std::string text(prefix);
  std::vector<Span> origin(prefix.size(), origin_of(piece, 0));
  copy(piece, 0, piece.text.size(), text, origin);
  return arena.keep(std::move(text), std::move(origin));
}

Piece replace(const Piece& piece, std::span<const Span> spans, std::string_view content, Arena& arena) {
  if (spans.empty()) return piece;
  std::string text;
  std::vector<Span> origin;
  text.reserve(piece.text.size());
  origin.reserve(piece.text.size());
  size_t done = 0;
  for (const Span& span : spans) {
    copy(piece, done, span.begin, text, origin);
    text += content;
    origin.resize(text.size(), span.end > 0 ? origin_of(piece, span.end - 1) : Span{0, 0});
    done = span.end;
  }
  copy(piece, done, piece.text.size(), text, origin);
  return arena.keep(std::move(text), std::move(origin));
}

Piece spell_bytes(const Piece& piece, Arena& arena) {
  std::string text;
  std::vector<Span> origin;
  text.reserve(2 * piece.text.size());
  for (size_t at = 0; at < piece.text.size(); ++at) {
    byte_alphabet::spell(piece.text.substr(at, 1), text);
    origin.resize(text.size(), origin_of(piece, at));
  }
  return arena.keep(std::move(text), std::move(origin));
}

}  // namespace braid::text
