#include "text/pattern/pattern.h"

#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

class Literal final : public Pattern {
 public:
  explicit Literal(std::string text) : text_(std::move(text)) {}

  void find_all(std::string_view text, std::vector<Span>& matches) const override {
    if (text_.empty()) return between_characters(text, matches);
    for (size_t at = text.find(text_); at != std::string_view::npos; at = text.find(text_, at + text_.size())) {
      matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + text_.size())});
    }
  }

 private:
  static void between_characters(std::string_view text, std::vector<Span>& matches) {
    for (size_t at = 0; at < text.size(); at += utf8::length(text[at])) {
      matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at)});
    }
    if (!text.empty()) matches.push_back({static_cast<uint32_t>(text.size()), static_cast<uint32_t>(text.size())});
  }

  std::string text_;
};

class Scanned final : public Pattern {
 public:
  explicit Scanned(Scanner scan) : scan_(scan) {}

  void find_all(std::string_view text, std::vector<Span>& matches) const override {
    for (size_t at = 0; at < text.size();) {
      const size_t end = scan_(text, at);
      if (end == at) {
        at += utf8::length(text[at]);
        continue;
      }
      matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(end)});
      at = end;
    }
  }

 private:
  Scanner scan_;
};

}  // namespace

std::unique_ptr<Pattern> make_literal(std::string text) { return std::make_unique<Literal>(std::move(text)); }

std::unique_ptr<Pattern> make_regex(std::string_view expression, const Json& where, const Limits& limits) {
  if (const Scanner scan = find_scanner(expression)) return std::make_unique<Scanned>(scan);
  return make_pcre(expression, where, limits);
}

std::unique_ptr<Pattern> read_pattern(const Json& node, const Limits& limits) {
  if (const auto literal = node.find("String")) return make_literal(std::string(literal->as_string()));
  if (const auto regex = node.find("Regex")) return make_regex(regex->as_string(), *regex, limits);
  node.fail("a pattern is {\"String\": …} or {\"Regex\": …}");
}

}  // namespace braid::text
