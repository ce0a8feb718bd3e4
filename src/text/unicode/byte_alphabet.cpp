#include "text/unicode/byte_alphabet.h"

#include <array>

#include "text/unicode/utf8.h"

namespace braid::byte_alphabet {
namespace {

constexpr bool printable(unsigned byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
}

constexpr std::array<char32_t, 256> characters() {
  std::array<char32_t, 256> table{};
  char32_t next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) table[byte] = printable(byte) ? byte : next++;
  return table;
}

inline constexpr std::array<char32_t, 256> kCharacters = characters();
inline constexpr char32_t kEnd = 256 + 68;  // 68 bytes are not printable

constexpr std::array<unsigned char, kEnd> bytes() {
  std::array<unsigned char, kEnd> table{};
  for (unsigned byte = 0; byte < 256; ++byte) table[kCharacters[byte]] = static_cast<unsigned char>(byte);
  return table;
}

inline constexpr std::array<unsigned char, kEnd> kBytes = bytes();

}  // namespace

char32_t character(unsigned char byte) { return kCharacters[byte]; }

std::optional<unsigned char> byte(char32_t character) {
  if (character >= kEnd) return std::nullopt;
  const unsigned char candidate = kBytes[character];
  if (kCharacters[candidate] != character) return std::nullopt;
  return candidate;
}

void spell(std::string_view bytes, std::string& out) {
  for (const char c : bytes) utf8::append(out, character(static_cast<unsigned char>(c)));
}

std::optional<std::string> unspell(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const utf8::Character c = utf8::decode(text, at);
    const std::optional<unsigned char> spelt = byte(c.code_point);
    if (!spelt) return std::nullopt;
    out += static_cast<char>(*spelt);
    at += c.bytes;
  }
  return out;
}

}  // namespace braid::byte_alphabet
