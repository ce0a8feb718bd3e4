// The regular expressions that nearly all byte-level tokenizers use, each as a scanner of one alternative after the
// other. What a backtracking matcher finds by trial is worked out beforehand here, so that a run of a million letters
// costs a million steps.

#include <array>
#include <cstdint>

#include "text/pattern/pattern.h"
#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

using unicode::Classes;
using unicode::kL;
using unicode::kM;
using unicode::kN;
using unicode::kNewline;
using unicode::kP;
using unicode::kS;
using unicode::kSpace;

constexpr size_t kAny = SIZE_MAX;

struct Next {
  Classes classes = 0;  ///< 0 at the end of the text
  size_t end;           ///< byte after the character
};

Next next(std::string_view text, size_t at) {
  if (at >= text.size()) return {0, at};
  const utf8::Character c = utf8::decode(text, at);
  return {unicode::classes(c.code_point), at + c.bytes};
}

/// End of the run of at most `most` characters of any of the classes.
size_t run(std::string_view text, size_t at, Classes of, size_t most = kAny) {
  for (; most > 0; --most) {
    const Next n = next(text, at);
    if ((n.classes & of) == 0) break;
    at = n.end;
  }
  return at;
}

/// End of the run of characters of none of the classes.
size_t run_outside(std::string_view text, size_t at, Classes of) {
  while (at < text.size()) {
    const Next n = next(text, at);
    if ((n.classes & of) != 0) break;
    at = n.end;
  }
  return at;
}

/// 's|'t|'re|'ve|'m|'ll|'d, under (?i) if `fold`: then U+017F, the long s, is an s as well.
size_t contraction(std::string_view text, size_t at, bool fold) {
  if (at + 1 >= text.size() || text[at] != '\'') return at;
  const auto letter = [&](size_t i) {
    return i >= text.size() ? '\0' : fold && text[i] >= 'A' && text[i] <= 'Z' ? char(text[i] | 0x20) : text[i];
  };
  const char first = letter(at + 1), second = letter(at + 2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
  if ((first == 'r' || first == 'v') && second == 'e') return at + 3;
  if (first == 'l' && second == 'l') return at + 3;
  return fold && text.substr(at + 1, 2) == "\u017F" ? at + 3 : at;
}

/// \s+(?!\S)|\s+: a run of spaces leaves its last one to the word that follows.
size_t spaces(std::string_view text, size_t at) {
  const size_t end = run(text, at, kSpace);
  if (end == at || end == text.size()) return end;
  const size_t last = utf8::previous(text, end);
  return last > at ? last : end;
}

/// \s*[\r\n]+|\s+(?!\S)|\s+: a run that holds a newline ends after its last newline.
size_t lines_or_spaces(std::string_view text, size_t at) {
  size_t after_newline = at;
  for (Next n = next(text, at); (n.classes & kSpace) != 0; n = next(text, n.end)) {
    if ((n.classes & kNewline) != 0) after_newline = n.end;
  }
  return after_newline > at ? after_newline : spaces(text, at);
}

/// [^\r\n…]?…+ with the optional first character outside `not_before`, then a run of `of`; the two may share
/// characters.
size_t word(std::string_view text, size_t at, Classes not_before, Classes of) {
  if (const Next first = next(text, at); first.classes != 0 && (first.classes & not_before) == 0) {
    if (const size_t end = run(text, first.end, of); end > first.end) return end;
  }
  return run(text, at, of);
}

/// " ?" and a run of characters of none of the classes, then a run of newlines, and of slashes if `slash`.
size_t marks(std::string_view text, size_t at, Classes outside, bool slash) {
  const size_t begin = text[at] == ' ' ? at + 1 : at;
  size_t end = run_outside(text, begin, outside);
  if (end == begin) return at;  // without the space taken along nothing matches either: it is one of the classes
  while (end < text.size() && (text[end] == '\r' || text[end] == '\n' || (slash && text[end] == '/'))) ++end;
  return end;
}

/// GPT-2: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
size_t gpt2(std::string_view text, size_t at) {
  if (const size_t end = contraction(text, at, false); end > at) return end;
  const size_t begin = text[at] == ' ' ? at + 1 : at;
  if (const size_t end = run(text, begin, kL); end > begin) return end;
  if (const size_t end = run(text, begin, kN); end > begin) return end;
  if (const size_t end = run_outside(text, begin, kSpace | kL | kN); end > begin) return end;
  return spaces(text, at);
}

/// Llama 3 and cl100k: numbers of up to `Digits` digits; words may take one character before them along.
template <size_t Digits>
size_t llama3(std::string_view text, size_t at) {
  if (const size_t end = contraction(text, at, true); end > at) return end;
  if (const size_t end = word(text, at, kNewline | kL | kN, kL); end > at) return end;
  if (const size_t end = run(text, at, kN, Digits); end > at) return end;
  if (const size_t end = marks(text, at, kSpace | kL | kN, false); end > at) return end;
  return lines_or_spaces(text, at);
}

// The two halves of a word in camel case; letters without case and marks belong to both.
constexpr Classes kUpper = unicode::kLu | unicode::kLt | unicode::kLm | unicode::kLo | kM;
constexpr Classes kLower = unicode::kLl | unicode::kLm | unicode::kLo | kM;

/// U*W+ of upper (U) and lower (W): the greedy U* gives back characters until one of them can start the W+.
size_t upper_then_lower(std::string_view text, size_t at) {
  size_t end = at, after_shared = at;  // after the last character of the run of U that is W too
  for (Next n = next(text, at); (n.classes & kUpper) != 0; n = next(text, end)) {
    end = n.end;
    if ((n.classes & kLower) != 0) after_shared = end;
  }
  const size_t lower = run(text, end, kLower);
  return lower > end ? lower : after_shared;
}

/// U+W*
size_t upper_and_lower(std::string_view text, size_t at) {
  const size_t upper = run(text, at, kUpper);
  return upper == at ? at : run(text, upper, kLower);
}

template <size_t Digits, bool Contractions>
size_t camel_case(std::string_view text, size_t at) {
  for (const auto half : {upper_then_lower, upper_and_lower}) {
    size_t end = at;
    if (const Next first = next(text, at); (first.classes & (kNewline | kL | kN)) == 0) {
      end = half(text, first.end);
      if (end == first.end) end = at;
    }
    if (end == at) end = half(text, at);
    if (end > at) return Contractions ? contraction(text, end, true) : end;
  }
  if (const size_t end = run(text, at, kN, Digits); end > at) return end;
  if (const size_t end = marks(text, at, kSpace | kL | kN, true); end > at) return end;
  return lines_or_spaces(text, at);
}

size_t up_to_three_digits(std::string_view text, size_t at) { return run(text, at, kN, 3); }

/// [一-龥぀-ゟ゠-ヿ]+
size_t han_or_kana(std::string_view text, size_t at) {
  while (at < text.size()) {
    const utf8::Character c = utf8::decode(text, at);
    if (!((c.code_point >= 0x4E00 && c.code_point <= 0x9FA5) || (c.code_point >= 0x3040 && c.code_point <= 0x30FF)))
      break;
    at += c.bytes;
  }
  return at;
}

/// DeepSeek-V3's third pattern; digits match nothing here, the first pattern has cut them out.
size_t deepseek(std::string_view text, size_t at) {
  if (const Next first = next(text, at); (first.classes & unicode::kAsciiPunct) != 0) {
    if (const size_t end = run(text, first.end, unicode::kAsciiLetter); end > first.end) return end;
  }
  if (const size_t end = word(text, at, kNewline | kL | kP | kS, kL | kM); end > at) return end;
  const size_t begin = text[at] == ' ' ? at + 1 : at;
  if (size_t end = run(text, begin, kP | kS); end > begin) return run(text, end, kNewline);
  return lines_or_spaces(text, at);
}

/// CLIP: words, single digits and runs of marks; spaces match nothing.
size_t clip(std::string_view text, size_t at) {
  if (const size_t end = contraction(text, at, false); end > at) return end;
  if (const size_t end = run(text, at, kL); end > at) return end;
  if (const size_t end = run(text, at, kN, 1); end > at) return end;
  return run_outside(text, at, kSpace | kL | kN);
}

struct Known {
  std::string_view expression;
  Scanner scanner;
};

#define BRAID_SPACES R"(\s*[\r\n]+|\s+(?!\S)|\s+)"
#define BRAID_CAMEL_1 R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
#define BRAID_CAMEL_2 R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
#define BRAID_CONTRACTIONS R"((?i:'s|'t|'re|'ve|'m|'ll|'d))"

constexpr auto kKnown = std::to_array<Known>({
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", gpt2},
    {BRAID_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)" BRAID_SPACES, llama3<3>},
    {BRAID_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)" BRAID_SPACES, llama3<1>},
    {BRAID_CAMEL_1 BRAID_CONTRACTIONS "?|" BRAID_CAMEL_2 BRAID_CONTRACTIONS
                                      R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" BRAID_SPACES,
     camel_case<3, true>},
    {BRAID_CAMEL_1 "|" BRAID_CAMEL_2 R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" BRAID_SPACES, camel_case<1, false>},
    {R"(\p{N}{1,3})", up_to_three_digits},
    {"[一-龥\u3040-ゟ゠-ヿ]+", han_or_kana},
    {R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|)" BRAID_SPACES,
     deepseek},
    {R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)", clip},
});

}  // namespace

Scanner find_scanner(std::string_view expression) {
  for (const Known& known : kKnown) {
    if (known.expression == expression) return known.scanner;
  }
  return nullptr;
}

std::vector<std::string_view> scanned_expressions() {
  std::vector<std::string_view> all;
  for (const Known& known : kKnown) all.push_back(known.expression);
  return all;
}

}  // namespace braid::text
