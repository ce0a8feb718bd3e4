#pragma once
// Python's operations on strings, keeping who wrote what. Positions are bytes; characters are counted by the callers.

#include <optional>
#include <string_view>
#include <vector>

#include "text/template/text.h"

namespace braid::jinja {

enum class Side : uint8_t { both, left, right };

/// str.isspace for a character.
bool is_python_space(char32_t c);

/// Without the characters of `characters` (white space when it is nothing) at its ends.
Text strip(const Text& text, Side side, std::optional<std::string_view> characters);
/// At most `most` cuts (-1: all), from the left or from the right; at runs of white space when there is no separator.
std::vector<Text> split(const Text& text, std::optional<std::string_view> separator, int64_t most, bool from_right);
std::vector<Text> split_lines(const Text& text, bool keep_ends);
Text replace(const Text& text, std::string_view from, const Text& to, int64_t most);

enum class Case : uint8_t { lower, upper, capitalized, title, swapped, folded };
Text with_case(const Text& text, Case to);

/// str.isalpha and its kin. False for an empty text, but for ascii and printable.
bool is_of_class(std::string_view text, std::string_view what);

}  // namespace braid::jinja
