#include "text/split/behavior.h"
#include "text/split/pre_tokenizer.h"
#include "text/unicode/properties.h"

namespace braid::text {
namespace {

class Digits final : public PreTokenizer {
 public:
  explicit Digits(bool individual) : behavior_(individual ? Behavior::isolated : Behavior::contiguous) {}
  void apply(PreTokenized& text) const override {
    const auto is_numeric = [](char32_t c) { return (unicode::classes(c) & unicode::kN) != 0; };
    text.split([&](const Piece& piece, auto emit) { cut_at_characters(piece, is_numeric, {behavior_}, emit); });
  }

 private:
  Behavior behavior_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_digits(const Json& node, const Limits&) {
  return std::make_unique<Digits>(node.at("individual_digits").as_bool());
}

}  // namespace braid::text
