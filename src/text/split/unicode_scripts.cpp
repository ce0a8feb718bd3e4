// UnicodeScripts, after SentencePiece's split_by_unicode_script: a word ends where another script begins.

#include <algorithm>
#include <array>

#include "text/base/kinds.h"
#include "text/split/pre_tokenizer.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

/// Characters from `first` on, up to the next row's, have this script.
struct Row {
  char32_t first;
  uint8_t script;
};

/// Scripts of the Unicode standard (UAX 24) as numbers, in the order in which they first come; 0 for characters that
/// belong to none here: those not assigned, and the space. Hiragana and Katakana count as Han.
constexpr Row kScripts[] = {
#include "text/split/scripts.inc"
};
constexpr uint8_t kNone = 0;

uint8_t script_of(char32_t c) {
  return std::ranges::prev(std::ranges::upper_bound(kScripts, c, {}, &Row::first))->script;
}

std::array<uint8_t, 128> ascii_scripts() {
  std::array<uint8_t, 128> scripts{};
  for (char32_t c = 0; c < scripts.size(); ++c) scripts[c] = script_of(c);
  return scripts;
}

class UnicodeScripts final : public PreTokenizer {
 public:
  void apply(PreTokenized& text) const override {
    text.split([this](const Piece& piece, auto emit) {
      size_t begin = piece.text.size();  // of the running word: none before the first character of a script
      uint8_t running = kNone;
      for (size_t at = 0; at < piece.text.size();) {
        const utf8::Character c = utf8::decode(piece.text, at);
        const uint8_t script = c.code_point < ascii_.size() ? ascii_[c.code_point] : script_of(c.code_point);
        if (script != kNone && script != running) {
          if (begin < at) emit(piece.slice(begin, at));
          begin = at;
          running = script;
        }
        at += c.bytes;
      }
      emit(piece.slice(begin, piece.text.size()));  // what comes before any script is left out, as there
    });
  }

 private:
  std::array<uint8_t, 128> ascii_ = ascii_scripts();
};

}  // namespace

std::unique_ptr<PreTokenizer> make_unicode_scripts(const Json&, const Limits&) {
  return std::make_unique<UnicodeScripts>();
}

}  // namespace braid::text
