// Whitespace (\w+|[^\w\s]+), WhitespaceSplit, and the single-character delimiter.

#include "text/base/kinds.h"
#include "text/split/behavior.h"
#include "text/split/pre_tokenizer.h"
#include "text/unicode/properties.h"

namespace braid::text {
namespace {

class Whitespace final : public PreTokenizer {
 public:
  void apply(PreTokenized& text) const override {
    enum Class { space, word, other };
    const auto class_of = [](char32_t c) { return unicode::is_word(c) ? word : unicode::is_space(c) ? space : other; };
    text.split([&](const Piece& piece, auto emit) {
      size_t begin = 0;
      Class running = space;
      for (size_t at = 0; at < piece.text.size();) {
        const utf8::Character c = utf8::decode(piece.text, at);
        if (const Class next = class_of(c.code_point); next != running) {
          if (running != space) emit(piece.slice(begin, at));
          running = next;
          begin = at;
        }
        at += c.bytes;
      }
      if (running != space) emit(piece.slice(begin, piece.text.size()));
    });
  }
};

class WhitespaceSplit final : public PreTokenizer {
 public:
  void apply(PreTokenized& text) const override {
    text.split(
        [&](const Piece& piece, auto emit) { cut_at_characters(piece, unicode::is_space, {Behavior::removed}, emit); });
  }
};

class Delimiter final : public PreTokenizer {
 public:
  explicit Delimiter(char32_t delimiter) : delimiter_(delimiter) {}
  void apply(PreTokenized& text) const override {
    const auto is_delimiter = [this](char32_t c) { return c == delimiter_; };
    text.split(
        [&](const Piece& piece, auto emit) { cut_at_characters(piece, is_delimiter, {Behavior::removed}, emit); });
  }

 private:
  char32_t delimiter_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_whitespace(const Json&, const Limits&) { return std::make_unique<Whitespace>(); }
std::unique_ptr<PreTokenizer> make_whitespace_split(const Json&, const Limits&) {
  return std::make_unique<WhitespaceSplit>();
}
std::unique_ptr<PreTokenizer> make_delimiter(const Json& node, const Limits&) {
  return std::make_unique<Delimiter>(character_member(node, "delimiter"));
}

}  // namespace braid::text
