#include "text/base/kinds.h"
#include "text/normalize/lowercase.h"
#include "text/normalize/normalizer.h"
#include "text/unicode/forms.h"
#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

/// CJK ideographs, as BERT's own list has them (basic tokenizer of the original code; U+2B820 was misspelt there and
/// stays so).
bool is_chinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool is_kept(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return true;
  return c != 0 && c != 0xFFFD && (unicode::classes(c) & (unicode::kCc | unicode::kCf | unicode::kCo)) == 0;
}

class BertNormalizer final : public Normalizer {
 public:
  struct Options {
    bool clean_text, handle_chinese_chars, strip_accents, lowercase;
  };
  explicit BertNormalizer(const Options& options) : options_(options) {}

  Piece apply(const Piece& original, Arena& arena) const override {
    Piece piece = original;
    if (options_.clean_text) {
      piece = filter(piece, is_kept, arena);
      piece = map(
          piece, [](char32_t c) { return unicode::is_space(c) ? U' ' : c; }, arena);
    }
    if (options_.handle_chinese_chars) piece = space_chinese(piece, arena);
    if (options_.strip_accents) {
      if (!unicode::surely_normalized(piece.text))
        piece = rewrite(piece, unicode::normalize(piece.text, unicode::Form::nfd), 0, arena);
      piece = filter(
          piece, [](char32_t c) { return (unicode::classes(c) & unicode::kMn) == 0; }, arena);
    }
    return options_.lowercase ? lowercase(piece, arena) : piece;
  }

 private:
  static Piece space_chinese(const Piece& piece, Arena& arena) {
    const auto none = [&] {
      for (size_t at = 0; at < piece.text.size();) {
        const utf8::Character c = utf8::decode(piece.text, at);
        if (is_chinese(c.code_point)) return false;
        at += c.bytes;
      }
      return true;
    };
    if (none()) return piece;
    std::vector<unicode::Change> changes;
    for (size_t at = 0; at < piece.text.size();) {
      const utf8::Character c = utf8::decode(piece.text, at);
      at += c.bytes;
      if (!is_chinese(c.code_point)) {
        changes.push_back({c.code_point, 0});
        continue;
      }
      changes.insert(changes.end(), {{U' ', 0}, {c.code_point, 1}, {U' ', 1}});
    }
    return rewrite(piece, changes, 0, arena);
  }

  Options options_;
};

}  // namespace

std::unique_ptr<Normalizer> make_bert_normalizer(const Json& node, const Limits&) {
  const bool lower = node.at("lowercase").as_bool();
  return std::make_unique<BertNormalizer>(BertNormalizer::Options{
      .clean_text = node.at("clean_text").as_bool(),
      .handle_chinese_chars = node.at("handle_chinese_chars").as_bool(),
      .strip_accents = flag(node, "strip_accents", lower),
      .lowercase = lower,
  });
}

}  // namespace braid::text
