#pragma once
// Properties of characters, as bit sets: what the character classes of tokenizer patterns are made of.

#include <array>
#include <cstdint>
#include <string>

namespace braid::unicode {

using Classes = uint32_t;

// General categories (Unicode 4.5), grouped as patterns use them.
inline constexpr Classes kLu = 1u << 0, kLl = 1u << 1, kLt = 1u << 2, kLm = 1u << 3, kLo = 1u << 4;
inline constexpr Classes kMn = 1u << 5, kMc = 1u << 6, kMe = 1u << 7;
inline constexpr Classes kNd = 1u << 8, kNl = 1u << 9, kNo = 1u << 10;
inline constexpr Classes kPc = 1u << 11, kPunctuationOther = 1u << 12;
inline constexpr Classes kS = 1u << 13, kZ = 1u << 14;
inline constexpr Classes kCc = 1u << 15, kCf = 1u << 16, kCo = 1u << 17, kCn = 1u << 18;
// Not categories.
inline constexpr Classes kSpace = 1u << 19;        ///< White_Space, which \s stands for
inline constexpr Classes kNewline = 1u << 20;      ///< \r and \n
inline constexpr Classes kAsciiLetter = 1u << 21;  ///< A–Z, a–z
inline constexpr Classes kAsciiPunct =
    1u << 22;  ///< the 32 ASCII characters that are neither letter, digit, space nor control

inline constexpr Classes kL = kLu | kLl | kLt | kLm | kLo;
inline constexpr Classes kM = kMn | kMc | kMe;
inline constexpr Classes kN = kNd | kNl | kNo;
inline constexpr Classes kP = kPc | kPunctuationOther;

namespace detail {
constexpr Classes ascii_classes(char32_t c) {
  if (c >= 'A' && c <= 'Z') return kLu | kAsciiLetter;
  if (c >= 'a' && c <= 'z') return kLl | kAsciiLetter;
  if (c >= '0' && c <= '9') return kNd;
  if (c == ' ') return kZ | kSpace;
  if (c == '\r' || c == '\n') return kCc | kSpace | kNewline;
  if (c == '\t' || c == '\v' || c == '\f') return kCc | kSpace;
  if (c < 0x20 || c == 0x7F) return kCc;
  if (c == '_') return kPc | kAsciiPunct;
  const bool symbol =
      c == '$' || c == '+' || c == '<' || c == '=' || c == '>' || c == '^' || c == '`' || c == '|' || c == '~';
  return (symbol ? kS : kPunctuationOther) | kAsciiPunct;
}
constexpr std::array<Classes, 128> ascii_table() {
  std::array<Classes, 128> table{};
  for (char32_t c = 0; c < 128; ++c) table[c] = ascii_classes(c);
  return table;
}
inline constexpr std::array<Classes, 128> kAscii = ascii_table();
Classes other_classes(char32_t c);
}  // namespace detail

/// All classes that a code point belongs to.
inline Classes classes(char32_t c) { return c < 128 ? detail::kAscii[c] : detail::other_classes(c); }

inline bool is_space(char32_t c) { return (classes(c) & kSpace) != 0; }
/// What \w stands for in UTS 18: alphabetic, marks, decimal numbers, connector punctuation, join controls.
bool is_word(char32_t c);
/// The lower-case mapping of one character to one.
char32_t simple_lowercase(char32_t c);
/// The full lower-case mapping of one character, without context: one to three code points (İ becomes i and a dot
/// above).
std::u32string lowercase(char32_t c);

}  // namespace braid::unicode
