#pragma once
// The normalisation forms of Unicode (UAX 15), with what each resulting character did to the characters before it.

#include <cstdint>
#include <string_view>
#include <vector>

namespace braid::unicode {

/// One character of a rewritten text. `change` says how it came about: 0 replaces one character, 1 is inserted after
/// the one before it, −n replaces one character and swallows the n characters that follow it.
struct Change {
  char32_t code_point;
  int32_t change;
};

enum class Form : uint8_t { nfc, nfd, nfkc, nfkd };

/// True for text that is in all these forms, found by a look at each character alone; false where that does not tell.
bool surely_normalized(std::string_view text);
/// The normalised text. The changes add up to the input's characters: alignments can be carried through them.
std::vector<Change> normalize(std::string_view text, Form form);

}  // namespace braid::unicode
