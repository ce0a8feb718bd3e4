#pragma once
// UTF-8: decoding of text that is known to be valid, checking of text that is not, and what a broken sequence is shown
// as.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace braid::utf8 {

/// U+FFFD, which stands for bytes that are no UTF-8.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

inline bool is_continuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

/// Bytes of the character that starts with `lead`, in valid UTF-8.
inline uint32_t length(char lead) {
  const auto byte = static_cast<uint8_t>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

struct Character {
  char32_t code_point;
  uint32_t bytes;
};

/// The character at byte `at` of valid UTF-8; `at` is a character's first byte.
inline Character decode(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<uint8_t>(text[at + i])); };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead < 0xF0) return {(lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}

/// First byte of the last character before byte `end` > 0 of valid UTF-8.
inline size_t previous(std::string_view text, size_t end) {
  do --end;
  while (end > 0 && is_continuation(text[end]));
  return end;
}

void append(std::string& text, char32_t code_point);
/// Writes a character over the one of `bytes` bytes at byte `at`; false, and nothing is done, when it has another
/// length.
bool overwrite(std::string& text, size_t at, uint32_t bytes, char32_t code_point);
/// Code points of valid UTF-8.
size_t count(std::string_view text);
/// Offset of the first byte that belongs to no valid sequence (overlong forms and surrogates are invalid).
std::optional<size_t> first_invalid(std::string_view bytes);
/// The bytes as text: each maximal part of a broken sequence becomes one U+FFFD, as the Unicode standard recommends
/// (3.9, D93b).
std::string lossy(std::string_view bytes);

}  // namespace braid::utf8
