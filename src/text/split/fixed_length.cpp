#include "text/base/kinds.h"
#include "text/split/pre_tokenizer.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(uint64_t characters) : characters_(characters) {}
  void apply(PreTokenized& text) const override {
    text.split([&](const Piece& piece, auto emit) {
      for (size_t begin = 0; begin < piece.text.size();) {
        size_t end = begin;
        for (uint64_t i = 0; i < characters_ && end < piece.text.size(); ++i) end += utf8::length(piece.text[end]);
        emit(piece.slice(begin, end));
        begin = end;
      }
    });
  }

 private:
  uint64_t characters_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_fixed_length(const Json& node, const Limits&) {
  const auto length = optional_member(node, "length");
  const uint64_t characters = length ? length->as_uint() : 5;
  if (characters == 0) length->fail("words of no characters");
  return std::make_unique<FixedLength>(characters);
}

}  // namespace braid::text
