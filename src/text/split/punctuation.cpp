// Punctuation, and BertPreTokenizer, which cuts at spaces first.

#include "text/base/kinds.h"
#include "text/split/behavior.h"
#include "text/split/pre_tokenizer.h"
#include "text/unicode/properties.h"

namespace braid::text {
namespace {

bool is_punctuation(char32_t c) { return (unicode::classes(c) & (unicode::kP | unicode::kAsciiPunct)) != 0; }

class Punctuation final : public PreTokenizer {
 public:
  explicit Punctuation(Behavior behavior) : behavior_(behavior) {}
  void apply(PreTokenized& text) const override {
    text.split([&](const Piece& piece, auto emit) { cut_at_characters(piece, is_punctuation, {behavior_}, emit); });
  }

 private:
  Behavior behavior_;
};

class BertPreTokenizer final : public PreTokenizer {
 public:
  void apply(PreTokenized& text) const override {
    text.split(
        [&](const Piece& piece, auto emit) { cut_at_characters(piece, unicode::is_space, {Behavior::removed}, emit); });
    text.split(
        [&](const Piece& piece, auto emit) { cut_at_characters(piece, is_punctuation, {Behavior::isolated}, emit); });
  }
};

}  // namespace

std::unique_ptr<PreTokenizer> make_punctuation(const Json& node, const Limits&) {
  const auto behavior = optional_member(node, "behavior");
  return std::make_unique<Punctuation>(behavior ? read_behavior(*behavior) : Behavior::isolated);
}
std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer(const Json&, const Limits&) {
  return std::make_unique<BertPreTokenizer>();
}

}  // namespace braid::text
