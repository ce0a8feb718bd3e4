#include "text/template/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>

#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid::jinja {
namespace {

/// Python's str.isspace for one character: White_Space and the four information separators.
bool is_space(std::string_view text, size_t at) {
  const char32_t c = utf8::decode(text, at).code_point;
  return unicode::is_space(c) || (c >= 0x1C && c <= 0x1F);
}

size_t skip_space(std::string_view text, size_t at) {
  while (at < text.size() && is_space(text, at)) at += utf8::length(text[at]);
  return at;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Line ends become \n, and one at the very end goes.
std::string normalized(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      text += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      text += source[i];
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : text_(normalized(source)), source_(text_) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) read_data();
    push(TokenKind::end, at_);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(std::string what, size_t at) { throw SyntaxFault{position(at), std::move(what)}; }

  /// Asked in ascending order, but for errors.
  Position position(size_t at) {
    if (at < counted_) {
      counted_ = 0;
      position_ = {};
    }
    for (; counted_ < at; ++counted_) {
      if (source_[counted_] == '\n')
        position_ = {position_.line + 1, 1};
      else if (!utf8::is_continuation(source_[counted_]))
        ++position_.column;
    }
    return position_;
  }

  Token& push(TokenKind kind, size_t at, std::string text = {}) {
    return tokens_.emplace_back(Token{kind, position(at), std::move(text)});
  }

  bool looking_at(std::string_view what, size_t at) const { return source_.substr(at).starts_with(what); }

  /// Text up to the next tag, stripped as its sign and lstrip_blocks say.
  void push_data(size_t begin, size_t end, char sign, bool variable) {
    std::string_view data = source_.substr(begin, end - begin);
    if (sign == '-') {
      while (!data.empty()) {
        const size_t last = utf8::previous(data, data.size());
        if (!is_space(data, last)) break;
        data = data.substr(0, last);
      }
    } else if (sign != '+' && !variable) {
      const size_t newline = data.rfind('\n');
      const size_t line = newline == std::string_view::npos ? 0 : newline + 1;
      if ((line > 0 || line_starting_) && skip_space(data, line) == data.size()) data = data.substr(0, line);
    }
    if (!data.empty()) push(TokenKind::data, begin, std::string(data));
  }

  /// {% raw %}: where its text begins; nothing when the block at `at` is another one.
  std::optional<size_t> raw_begin(size_t at) const {
    at += 2;
    if (looking_at("-", at) || looking_at("+", at)) ++at;
    at = skip_space(source_, at);
    if (!looking_at("raw", at)) return std::nullopt;
    at = skip_space(source_, at + 3);
    if (looking_at("-%}", at)) return skip_space(source_, at + 3);
    if (looking_at("%}", at)) return at + 2;
    return std::nullopt;
  }

  /// The end of a tag at `at` ("%}", "-%}", "+%}", with what they strip); nothing when there is none.
  std::optional<size_t> tag_end(size_t at, std::string_view close, bool plus, bool trim) const {
    if (looking_at("-", at) && looking_at(close, at + 1)) return skip_space(source_, at + 1 + close.size());
    if (plus && looking_at("+", at) && looking_at(close, at + 1)) return at + 1 + close.size();
    if (!looking_at(close, at)) return std::nullopt;
    at += close.size();
    return trim && looking_at("\n", at) ? at + 1 : at;
  }

  void move_to(size_t at) {
    at_ = at;
    line_starting_ = at > 0 && source_[at - 1] == '\n';
  }

  void read_data() {
    size_t tag = at_;
    for (;; ++tag) {
      tag = source_.find('{', tag);
      if (tag == std::string_view::npos || tag + 1 >= source_.size()) {
        push(TokenKind::data, at_, std::string(source_.substr(at_)));
        at_ = source_.size();
        return;
      }
      const char next = source_[tag + 1];
      if (next == '{' || next == '%' || next == '#') break;
    }
    const char kind = source_[tag + 1];
    const char after = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    const char sign = after == '-' || after == '+' ? after : '\0';
    push_data(at_, tag, sign, kind == '{');
    const size_t inside = tag + 2 + (sign != '\0' ? 1 : 0);
    if (kind == '#') return read_comment(tag, inside);
    if (const auto raw = kind == '%' ? raw_begin(tag) : std::nullopt) return read_raw(tag, *raw);
    push(kind == '{' ? TokenKind::variable_begin : TokenKind::block_begin, tag);
    at_ = inside;
    read_tag(kind == '{', tag);
  }

  void read_comment(size_t tag, size_t at) {
    for (; at < source_.size(); ++at) {
      if (const auto end = tag_end(at, "#}", true, true)) return move_to(*end);
    }
    fail("the comment has no end: #} is missing", tag);
  }

  void read_raw(size_t tag, size_t begin) {
    move_to(begin);
    for (size_t at = begin; (at = source_.find("{%", at)) != std::string_view::npos; ++at) {
      size_t name = at + 2;
      const char sign = name < source_.size() && (source_[name] == '-' || source_[name] == '+') ? source_[name] : '\0';
      name = skip_space(source_, name + (sign != '\0' ? 1 : 0));
      if (!looking_at("endraw", name)) continue;
      const auto end = tag_end(skip_space(source_, name + 6), "%}", true, true);
      if (!end) continue;
      push_data(begin, at, sign, false);
      return move_to(*end);
    }
    fail("the raw block has no end: {% endraw %} is missing", tag);
  }

  void read_tag(bool variable, size_t tag) {
    std::vector<std::pair<char, size_t>> open;  // brackets
    while (true) {
      if (at_ >= source_.size())
        fail(open.empty() ? "the tag has no end: " + std::string(variable ? "}}" : "%}") + " is missing"
                          : "the bracket is never closed",
             open.empty() ? tag : open.back().second);
      if (open.empty()) {
        if (const auto end = tag_end(at_, variable ? "}}" : "%}", !variable, !variable)) {
          push(variable ? TokenKind::variable_end : TokenKind::block_end, at_);
          return move_to(*end);
        }
      }
      if (const size_t next = skip_space(source_, at_); next > at_) {
        at_ = next;
        continue;
      }
      const char c = source_[at_];
      if (is_digit(c))
        read_number();
      else if (c == '\'' || c == '"')
        read_string();
      else if (is_name_character(at_))
        read_name();
      else
        read_symbol(open);
    }
  }

  bool is_name_character(size_t at) const {
    if (static_cast<uint8_t>(source_[at]) < 0x80)
      return std::isalnum(static_cast<unsigned char>(source_[at])) != 0 || source_[at] == '_';
    return unicode::is_word(utf8::decode(source_, at).code_point);
  }

  void read_name() {
    const size_t begin = at_;
    while (at_ < source_.size() && is_name_character(at_)) at_ += utf8::length(source_[at_]);
    push(TokenKind::name, begin, std::string(source_.substr(begin, at_ - begin)));
  }

  /// Digits with single underscores between them, from `at`; where they end.
  size_t digits(size_t at) const {
    size_t end = at;
    while (at < source_.size() && (is_digit(source_[at]) || (source_[at] == '_' && end == at))) {
      if (is_digit(source_[at])) end = at + 1;
      ++at;
    }
    return end;
  }

  void read_number() {
    const size_t begin = at_;
    const size_t whole = digits(begin);
    size_t end = whole;
    if (end + 1 < source_.size() && source_[end] == '.' && is_digit(source_[end + 1])) end = digits(end + 1);
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      const size_t sign = end + 1 < source_.size() && (source_[end + 1] == '+' || source_[end + 1] == '-') ? 1 : 0;
      if (end + 1 + sign < source_.size() && is_digit(source_[end + 1 + sign])) end = digits(end + 1 + sign);
    }
    const bool after_dot = begin > 0 && source_[begin - 1] == '.';  // "a.1.5": no number of its own
    if (end > whole && !after_dot) {
      std::string spelling(source_.substr(begin, end - begin));
      std::erase(spelling, '_');
      Token& token = push(TokenKind::real, begin, spelling);
      // Too large becomes infinity and too small zero, as in Python.
      if (std::from_chars(spelling.data(), spelling.data() + spelling.size(), token.real).ec ==
          std::errc::result_out_of_range)
        token.real = spelling.find("e-") != std::string::npos || spelling.find("E-") != std::string::npos
                         ? 0
                         : std::numeric_limits<double>::infinity();
      at_ = end;
      return;
    }
    read_integer(begin, whole);
  }

  void read_integer(size_t begin, size_t decimal_end) {
    int base = 10;
    size_t first = begin, end = decimal_end;
    if (source_[begin] == '0') {
      const char letter = begin + 1 < source_.size()
                              ? static_cast<char>(std::tolower(static_cast<unsigned char>(source_[begin + 1])))
                              : '\0';
      base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
      if (base != 10) {
        end = first = begin + 2;
        while (end < source_.size() && (value_of(source_[end]) < base || source_[end] == '_')) ++end;
        if (end == first) fail("the number has no digits", begin);
      } else {  // zeros only: 07 is no number
        for (end = begin; end < decimal_end && (source_[end] == '0' || source_[end] == '_');) ++end;
      }
    }
    Integer value = 0;
    for (size_t i = first; i < end; ++i) {
      if (source_[i] == '_') continue;
      if (__builtin_mul_overflow(value, static_cast<Integer>(base), &value) ||
          __builtin_add_overflow(value, static_cast<Integer>(value_of(source_[i])), &value))
        fail("the integer has more than 128 bits", begin);
    }
    push(TokenKind::integer, begin, std::string(source_.substr(begin, end - begin))).integer = value;
    at_ = end;
  }

  static int value_of(char c) {
    if (is_digit(c)) return c - '0';
    const int lower = std::tolower(static_cast<unsigned char>(c));
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
  }

  void read_string() {
    const size_t begin = at_;
    const char quote = source_[at_++];
    std::string text;
    while (true) {
      if (at_ >= source_.size()) fail("the string has no end", begin);
      const char c = source_[at_++];
      if (c == quote) break;
      if (c == '\\')
        read_escape(text, begin);
      else
        text += c;
    }
    push(TokenKind::string, begin, std::move(text));
  }

  void read_escape(std::string& text, size_t begin) {
    if (at_ >= source_.size()) fail("the string has no end", begin);
    const size_t escape = at_ - 1;
    const char c = source_[at_++];
    constexpr std::string_view kLetters = "\\'\"abfnrtv", kMeanings = "\\'\"\a\b\f\n\r\t\v";
    if (const size_t letter = kLetters.find(c); letter != std::string_view::npos) {
      text += kMeanings[letter];
    } else if (c == 'x' || c == 'u' || c == 'U') {
      append_character(text, read_digits(c == 'x' ? 2 : c == 'u' ? 4 : 8, escape), escape);
    } else if (c >= '0' && c <= '7') {
      char32_t value = static_cast<char32_t>(c - '0');
      for (int i = 0; i < 2 && at_ < source_.size() && source_[at_] >= '0' && source_[at_] <= '7'; ++i)
        value = value * 8 + static_cast<char32_t>(source_[at_++] - '0');
      append_character(text, value, escape);
    } else if (c == 'N') {
      fail("characters by name (\\N{...}) are not known here: write \\u and the code point", escape);
    } else if (c != '\n') {  // a backslash before a line end joins the lines; before others it stands for itself
      text += '\\';
      text += c;
    }
  }

  char32_t read_digits(int count, size_t escape) {
    char32_t value = 0;
    for (int i = 0; i < count; ++i, ++at_) {
      if (at_ >= source_.size() || value_of(source_[at_]) >= 16) fail("the escape has too few digits", escape);
      value = value << 4 | static_cast<char32_t>(value_of(source_[at_]));
    }
    return value;
  }

  void append_character(std::string& text, char32_t c, size_t escape) {
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) fail("the escape stands for no character", escape);
    utf8::append(text, c);
  }

  void read_symbol(std::vector<std::pair<char, size_t>>& open) {
    constexpr std::array<std::string_view, 6> kDouble{"//", "**", "==", "!=", ">=", "<="};
    constexpr std::string_view kSingle = "+-/*%~[](){}><=.:|,;";
    const std::string_view rest = source_.substr(at_);
    for (const std::string_view symbol : kDouble) {
      if (!rest.starts_with(symbol)) continue;
      push(TokenKind::symbol, at_, std::string(symbol));
      at_ += 2;
      return;
    }
    const char c = rest[0];
    if (kSingle.find(c) == std::string_view::npos)
      fail("unexpected character '" + std::string(rest.substr(0, utf8::length(c))) + "'", at_);
    if (c == '(' || c == '[' || c == '{') {
      open.emplace_back(c, at_);
    } else if (c == ')' || c == ']' || c == '}') {
      const char opener = c == ')' ? '(' : c == ']' ? '[' : '{';
      if (open.empty() || open.back().first != opener) fail("unexpected '" + std::string(1, c) + "'", at_);
      open.pop_back();
    }
    push(TokenKind::symbol, at_, std::string(1, c));
    ++at_;
  }

  std::string text_;
  std::string_view source_;
  std::vector<Token> tokens_;
  size_t at_ = 0, counted_ = 0;
  Position position_;
  bool line_starting_ = true;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace braid::jinja
