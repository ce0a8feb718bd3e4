#include "text/template/strings.h"

#include <utf8proc.h>

#include <algorithm>

#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid::jinja {
namespace {

using utf8::Character;

bool in_set(std::string_view set, std::string_view character) {
  for (size_t at = 0; at < set.size(); at += utf8::length(set[at]))
    if (set.substr(at, utf8::length(set[at])) == character) return true;
  return false;
}

/// Strips the space at one end: where the text begins or ends without it.
template <class Goes>
std::pair<size_t, size_t> stripped(std::string_view text, Side side, Goes goes) {
  size_t begin = 0, end = text.size();
  if (side != Side::right)
    while (begin < end && goes(text.substr(begin, utf8::length(text[begin])))) begin += utf8::length(text[begin]);
  while (side != Side::left && end > begin) {
    const size_t last = utf8::previous(text, end);
    if (!goes(text.substr(last, end - last))) break;
    end = last;
  }
  return {begin, end};
}

bool is_space(std::string_view character) { return is_python_space(utf8::decode(character, 0).code_point); }

/// Where the words of a text lie.
std::vector<std::pair<size_t, size_t>> words(std::string_view text, int64_t most, bool from_right) {
  std::vector<std::pair<size_t, size_t>> found;
  if (from_right) {
    size_t end = stripped(text, Side::right, is_space).second;
    while (end > 0) {
      if (most-- == 0) {
        found.emplace_back(0, end);
        break;
      }
      size_t begin = end;
      while (begin > 0) {
        const size_t last = utf8::previous(text, begin);
        if (is_space(text.substr(last, begin - last))) break;
        begin = last;
      }
      found.emplace_back(begin, end);
      end = stripped(text.substr(0, begin), Side::right, is_space).second;
    }
    std::reverse(found.begin(), found.end());
    return found;
  }
  size_t begin = stripped(text, Side::left, is_space).first;
  while (begin < text.size()) {
    if (most-- == 0) {
      found.emplace_back(begin, text.size());
      break;
    }
    size_t end = begin;
    while (end < text.size() && !is_space(text.substr(end, utf8::length(text[end])))) end += utf8::length(text[end]);
    found.emplace_back(begin, end);
    begin = end + stripped(text.substr(end), Side::left, is_space).first;
  }
  return found;
}

bool is_line_end(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/// Characters whose capitals are several (SpecialCasing.txt of Unicode), ascending.
struct Capitals {
  char32_t character;
  std::string_view upper, title;
};
constexpr Capitals kSeveralCapitals[] = {
#include "text/template/capitals.inc"
};

void append_mapped(std::string& to, char32_t c, Case how) {
  const auto one = static_cast<utf8proc_int32_t>(c);
  if (how == Case::lower) {
    for (const char32_t lower : unicode::lowercase(c)) utf8::append(to, lower);
    return;
  }
  if (how == Case::folded) {
    utf8proc_int32_t folded[8];
    const auto count = utf8proc_decompose_char(one, folded, 8, UTF8PROC_CASEFOLD, nullptr);
    for (utf8proc_ssize_t i = 0; i < count; ++i) utf8::append(to, static_cast<char32_t>(folded[i]));
    return;
  }
  const auto several = std::lower_bound(std::begin(kSeveralCapitals), std::end(kSeveralCapitals), c,
                                        [](const Capitals& row, char32_t wanted) { return row.character < wanted; });
  if (several != std::end(kSeveralCapitals) && several->character == c) {
    to += how == Case::upper ? several->upper : several->title;
    return;
  }
  utf8::append(to, static_cast<char32_t>(how == Case::upper ? utf8proc_toupper(one) : utf8proc_totitle(one)));
}

bool is_cased(char32_t c) { return (unicode::classes(c) & (unicode::kLu | unicode::kLl | unicode::kLt)) != 0; }

/// Capital sigma is ς at the end of a word, σ elsewhere.
void append_lower(std::string& to, std::string_view text, size_t at, char32_t c) {
  if (c != 0x3A3) return append_mapped(to, c, Case::lower);
  const bool before = at > 0 && is_cased(utf8::decode(text, utf8::previous(text, at)).code_point);
  const bool after = at + 2 < text.size() && is_cased(utf8::decode(text, at + 2).code_point);
  utf8::append(to, before && !after ? 0x3C2 : 0x3C3);
}

std::string cased(std::string_view text, Case to) {
  std::string out;
  bool word = false;  // within one
  for (size_t at = 0; at < text.size();) {
    const Character c = utf8::decode(text, at);
    const bool upper = (unicode::classes(c.code_point) & unicode::kLu) != 0;
    switch (to) {
      case Case::lower:
        append_lower(out, text, at, c.code_point);
        break;
      case Case::upper:
      case Case::folded:
        append_mapped(out, c.code_point, to);
        break;
      case Case::capitalized:
        if (at == 0)
          append_mapped(out, c.code_point, Case::title);
        else
          append_lower(out, text, at, c.code_point);
        break;
      case Case::title:
        if (word)
          append_lower(out, text, at, c.code_point);
        else
          append_mapped(out, c.code_point, Case::title);
        word = is_cased(c.code_point);
        break;
      case Case::swapped:
        if ((unicode::classes(c.code_point) & unicode::kLt) != 0)
          out += text.substr(at, c.bytes);
        else if (upper)
          append_lower(out, text, at, c.code_point);
        else
          append_mapped(out, c.code_point, Case::upper);
        break;
    }
    at += c.bytes;
  }
  return out;
}

template <class Test>
bool all_characters(std::string_view text, Test test) {
  if (text.empty()) return false;
  for (size_t at = 0; at < text.size(); at += utf8::length(text[at]))
    if (!test(utf8::decode(text, at).code_point)) return false;
  return true;
}

/// Some cased characters, and all of them of this case.
bool has_case(std::string_view text, unicode::Classes wanted) {
  bool any = false;
  for (size_t at = 0; at < text.size(); at += utf8::length(text[at])) {
    const char32_t c = utf8::decode(text, at).code_point;
    if (!is_cased(c)) continue;
    if ((unicode::classes(c) & wanted) == 0) return false;
    any = true;
  }
  return any;
}

bool is_title(std::string_view text) {
  bool any = false, word = false;
  for (size_t at = 0; at < text.size(); at += utf8::length(text[at])) {
    const unicode::Classes classes = unicode::classes(utf8::decode(text, at).code_point);
    if ((classes & (unicode::kLu | unicode::kLt)) != 0) {
      if (word) return false;
      any = word = true;
    } else if ((classes & unicode::kLl) != 0) {
      if (!word) return false;
    } else {
      word = false;
    }
  }
  return any;
}

bool is_identifier(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return all_characters(text, [](char32_t c) { return unicode::is_word(c); });
}

}  // namespace

bool is_python_space(char32_t c) { return unicode::is_space(c) || (c >= 0x1C && c <= 0x1F); }

Text strip(const Text& text, Side side, std::optional<std::string_view> characters) {
  const auto [begin, end] = stripped(
      text.view(), side, [&](std::string_view c) { return characters ? in_set(*characters, c) : is_space(c); });
  return text.slice(begin, end);
}

std::vector<Text> split(const Text& text, std::optional<std::string_view> separator, int64_t most, bool from_right) {
  std::vector<Text> parts;
  if (!separator) {
    for (const auto& [begin, end] : words(text.view(), most, from_right)) parts.push_back(text.slice(begin, end));
    return parts;
  }
  const std::string_view view = text.view();
  if (from_right) {
    size_t end = view.size();
    for (size_t at; most-- != 0 && end >= separator->size() &&
                    (at = view.substr(0, end).rfind(*separator)) != std::string_view::npos;) {
      parts.push_back(text.slice(at + separator->size(), end));
      end = at;
    }
    parts.push_back(text.slice(0, end));
    std::reverse(parts.begin(), parts.end());
    return parts;
  }
  size_t begin = 0;
  for (size_t at; most-- != 0 && (at = view.find(*separator, begin)) != std::string_view::npos;) {
    parts.push_back(text.slice(begin, at));
    begin = at + separator->size();
  }
  parts.push_back(text.slice(begin, view.size()));
  return parts;
}

std::vector<Text> split_lines(const Text& text, bool keep_ends) {
  std::vector<Text> lines;
  const std::string_view view = text.view();
  size_t begin = 0;
  for (size_t at = 0; at < view.size();) {
    const Character c = utf8::decode(view, at);
    const size_t end = at;
    at += c.bytes;
    if (!is_line_end(c.code_point)) continue;
    if (c.code_point == '\r' && at < view.size() && view[at] == '\n') ++at;
    lines.push_back(text.slice(begin, keep_ends ? at : end));
    begin = at;
  }
  if (begin < view.size()) lines.push_back(text.slice(begin, view.size()));
  return lines;
}

Text replace(const Text& text, std::string_view from, const Text& to, int64_t most) {
  Text out;
  const std::string_view view = text.view();
  size_t begin = 0;
  if (from.empty()) {  // between all characters, and at both ends
    for (; most != 0; --most) {
      out.append(to);
      if (begin >= view.size()) return out;
      const size_t end = begin + utf8::length(view[begin]);
      out.append(text, begin, end);
      begin = end;
    }
  } else {
    for (size_t at; most-- != 0 && (at = view.find(from, begin)) != std::string_view::npos;) {
      out.append(text, begin, at);
      out.append(to);
      begin = at + from.size();
    }
  }
  out.append(text, begin, view.size());
  return out;
}

Text with_case(const Text& text, Case to) { return {cased(text.view(), to), text.origin()}; }

bool is_of_class(std::string_view text, std::string_view what) {
  using namespace unicode;
  const auto of = [&](Classes wanted) {
    return all_characters(text, [&](char32_t c) { return (classes(c) & wanted) != 0; });
  };
  if (what == "isalpha") return of(kL);
  if (what == "isdecimal") return of(kNd);
  if (what == "isdigit")
    return all_characters(text, [](char32_t c) {
      return (classes(c) & kNd) != 0 || c == 0xB2 || c == 0xB3 || c == 0xB9 ||
             (c >= 0x2070 && c <= 0x2089 && c != 0x2071);
    });
  if (what == "isnumeric") return of(kN);
  if (what == "isalnum") return of(kL | kN);
  if (what == "isspace") return all_characters(text, is_python_space);
  if (what == "islower") return has_case(text, kLl);
  if (what == "isupper") return has_case(text, kLu);
  if (what == "istitle") return is_title(text);
  if (what == "isidentifier") return is_identifier(text);
  if (what == "isascii") return text.empty() || all_characters(text, [](char32_t c) { return c < 0x80; });
  return text.empty() ||
         all_characters(text, [](char32_t c) { return c == ' ' || (classes(c) & (kCc | kCf | kCo | kCn | kZ)) == 0; });
}

}  // namespace braid::jinja
