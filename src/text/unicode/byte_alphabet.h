#pragma once
// The byte alphabet of byte-level BPE (GPT-2, `bytes_to_unicode`): each byte is spelt as one printable character.

#include <optional>
#include <string>
#include <string_view>

namespace braid::byte_alphabet {

/// The character that spells a byte: itself when it is printable Latin-1, else U+0100 onwards in order.
char32_t character(unsigned char byte);
/// The byte that a character spells; nothing for characters outside the alphabet.
std::optional<unsigned char> byte(char32_t character);
/// Bytes → their spelling; what it appends is valid UTF-8, one or two bytes for each byte.
void spell(std::string_view bytes, std::string& out);
/// A spelling → its bytes; nothing when any character is outside the alphabet.
std::optional<std::string> unspell(std::string_view text);

}  // namespace braid::byte_alphabet
