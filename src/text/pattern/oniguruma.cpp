// From the syntax of tokenizer.json (Oniguruma's, in its Ruby flavour) to PCRE2's, where the two differ.

#include "text/pattern/pattern.h"

namespace braid::text {
namespace {

class Translator {
 public:
  Translator(std::string_view expression, const Json& where) : in_(expression), where_(where) {}

  std::string translate() {
    while (at_ < in_.size()) {
      if (in_[at_] == '\\')
        escape();
      else if (depth_ > 0)
        in_class();
      else if (in_[at_] == '[')
        open_class();
      else if (in_.substr(at_, 2) == "(?")
        group();
      else
        out_ += in_[at_++];
    }
    return std::move(out_);
  }

 private:
  /// \h is a hexadecimal digit there and horizontal space here.
  void escape() {
    const std::string_view pair = in_.substr(at_, 2);
    at_ += pair.size();
    if (pair == "\\h")
      out_ += depth_ > 0 ? "0-9A-Fa-f" : "[0-9A-Fa-f]";
    else if (pair == "\\H" && depth_ == 0)
      out_ += "[^0-9A-Fa-f]";
    else if (pair == "\\H")
      fail("\\H in a class");
    else
      out_ += pair;
  }

  void open_class() {
    depth_ = 1;
    out_ += in_[at_++];
    if (at_ < in_.size() && in_[at_] == '^') out_ += in_[at_++];
    if (at_ < in_.size() && in_[at_] == ']') out_ += "\\]", ++at_;
  }

  /// A class within a class is a union: its brackets go. Intersections and negated inner classes have no counterpart.
  void in_class() {
    const std::string_view rest = in_.substr(at_);
    if (rest.starts_with("&&")) fail("an intersection (&&) of classes");
    if (rest.starts_with("[:")) {
      const size_t end = rest.find(":]");
      if (end == std::string_view::npos) fail("an unfinished POSIX class");
      out_ += rest.substr(0, end + 2);
      at_ += end + 2;
    } else if (rest.starts_with("[^")) {
      fail("a negated class within a class");
    } else if (rest[0] == '[') {
      ++depth_, ++at_;
    } else if (rest[0] == ']') {
      if (--depth_ == 0) out_ += ']';
      ++at_;
    } else {
      out_ += rest[0], ++at_;
    }
  }

  /// (?m…) lets the dot match newlines, which is (?s…) here.
  void group() {
    out_ += "(?", at_ += 2;
    for (; at_ < in_.size() && (in_[at_] == 'i' || in_[at_] == 'm' || in_[at_] == 'x' || in_[at_] == '-'); ++at_) {
      out_ += in_[at_] == 'm' ? 's' : in_[at_];
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    where_.fail("the pattern " + std::string(in_) + " holds " + what + ", which is not supported");
  }

  std::string_view in_;
  const Json& where_;
  size_t at_ = 0;
  int depth_ = 0;
  std::string out_;
};

}  // namespace

std::string translate_from_oniguruma(std::string_view expression, const Json& where) {
  return Translator(expression, where).translate();
}

}  // namespace braid::text
