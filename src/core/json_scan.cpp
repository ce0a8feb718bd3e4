#include "core/json_scan.h"

#include <algorithm>
#include <charconv>

namespace braid {
namespace {

constexpr uint32_t kDeepest = 1024;  // the scanner recurses; this many frames fit any stack

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Bytes of the well-formed UTF-8 sequence at the start of `text`, 0 when it is malformed (overlong forms, surrogates
/// and code points above U+10FFFF included).
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0u; };
  const auto tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

class Scanner {
 public:
  Scanner(std::string_view text, uint32_t max_depth) : text_(text), max_depth_(std::min(max_depth, kDeepest)) {}

  void document() {
    space();
    if (at_end()) fail("the document is empty");
    value(0, true);
    space();
    if (!at_end()) fail("bytes after the end of the document");
  }

  void seek(std::span<const uint32_t> path, bool key) {
    target_ = path;
    want_key_ = key;
    seeking_ = true;
  }

  uint64_t found() const { return found_; }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  [[noreturn]] void fail(std::string what) const { throw JsonFault{at_, std::move(what)}; }
  [[noreturn]] void fail_at(uint64_t offset, std::string what) const { throw JsonFault{offset, std::move(what)}; }

  void space() {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
  }

  void expect(char c) {
    if (at_end()) fail("the document ends too early");
    if (text_[at_] != c) fail(std::string("expected '") + c + "'");
    ++at_;
  }

  /// `on_path`: the value is the target or an ancestor of it.
  void value(uint32_t depth, bool on_path) {
    if (seeking_ && on_path && depth == target_.size() && !want_key_) found_ = at_;
    if (at_end()) fail("the document ends too early");
    switch (text_[at_]) {
      case '{':
        return object(depth, on_path);
      case '[':
        return array(depth, on_path);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool child_on_path(uint32_t depth, bool on_path, uint32_t index) const {
    return seeking_ && on_path && depth < target_.size() && target_[depth] == index;
  }

  void enter(uint32_t depth) {
    if (depth >= max_depth_) fail("nested deeper than " + std::to_string(max_depth_) + " levels");
    ++at_;
    space();
  }

  void object(uint32_t depth, bool on_path) {
    enter(depth);
    if (peek() == '}') return void(++at_);
    for (uint32_t index = 0;; ++index) {
      const bool child = child_on_path(depth, on_path, index);
      if (child && want_key_ && depth + 1 == target_.size()) found_ = at_;
      if (!at_end() && text_[at_] != '"') fail("expected a string as key");
      string();
      space();
      expect(':');
      space();
      value(depth + 1, child);
      if (!next('}')) return;
    }
  }

  void array(uint32_t depth, bool on_path) {
    enter(depth);
    if (peek() == ']') return void(++at_);
    for (uint32_t index = 0;; ++index) {
      value(depth + 1, child_on_path(depth, on_path, index));
      if (!next(']')) return;
    }
  }

  /// After a child: true when another one follows.
  bool next(char close) {
    space();
    if (peek() == close) {
      ++at_;
      return false;
    }
    if (at_end()) fail("the document ends too early");
    if (text_[at_] != ',') fail(std::string("expected ',' or '") + close + "'");
    ++at_;
    space();
    return true;
  }

  void word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) fail("not a JSON value");
    at_ += expected.size();
  }

  uint32_t hex4() {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const int digit = is_digit(c)            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) fail("expected a hexadecimal digit");
      code = code * 16 + static_cast<uint32_t>(digit);
    }
    return code;
  }

  void escape() {
    const uint64_t start = at_;
    ++at_;
    const char kind = peek();
    if (kind != 'u') {
      if (at_end() || std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos)
        fail_at(start, "unknown escape");
      ++at_;
      return;
    }
    ++at_;
    const uint32_t code = hex4();
    if (code >= 0xDC00 && code <= 0xDFFF) fail_at(start, "lone surrogate");
    if (code < 0xD800 || code > 0xDBFF) return;
    if (text_.substr(at_, 2) != "\\u") fail_at(start, "lone surrogate");
    at_ += 2;
    const uint32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) fail_at(start, "lone surrogate");
  }

  void string() {
    const uint64_t start = at_;
    expect('"');
    for (;;) {
      if (at_end()) fail_at(start, "the string is not closed");
      const char c = text_[at_];
      if (c == '"') return void(++at_);
      if (c == '\\') {
        escape();
      } else if (static_cast<uint8_t>(c) < 0x20) {
        fail("control character in a string");
      } else {
        const size_t length = utf8_length(text_.substr(at_));
        if (length == 0) fail("invalid UTF-8");
        at_ += length;
      }
    }
  }

  void digits() {
    if (!is_digit(peek())) fail("expected a digit");
    while (is_digit(peek())) ++at_;
  }

  void number() {
    const uint64_t start = at_;
    if (peek() == '-') ++at_;
    if (!is_digit(peek())) fail_at(start, "not a JSON value");
    if (peek() == '0') {
      ++at_;
    } else {
      digits();
    }
    if (peek() == '.') {
      ++at_;
      digits();
    }
    bool tiny = false;
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      tiny = peek() == '-';
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
    if (is_digit(peek())) fail_at(start, "a number must not begin with 0");
    double parsed = 0;
    const auto result = std::from_chars(text_.data() + start, text_.data() + at_, parsed);
    if (result.ec == std::errc::result_out_of_range && !tiny) fail_at(start, "the number overflows a double");
  }

  std::string_view text_;
  uint32_t max_depth_;
  uint64_t at_ = 0;
  std::span<const uint32_t> target_;
  bool want_key_ = false;
  bool seeking_ = false;
  uint64_t found_ = 0;
};

}  // namespace

std::optional<JsonFault> find_json_fault(std::string_view text, uint32_t max_depth) {
  try {
    Scanner(text, max_depth).document();
  } catch (JsonFault& fault) {
    return std::move(fault);
  }
  return std::nullopt;
}

uint64_t json_offset(std::string_view text, std::span<const uint32_t> path, bool key) {
  Scanner scanner(text, kDeepest);
  scanner.seek(path, key);
  try {
    scanner.document();
  } catch (const JsonFault& fault) {
    return fault.offset;
  }
  return scanner.found();
}

}  // namespace braid
