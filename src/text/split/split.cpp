#include "text/base/kinds.h"
#include "text/pattern/pattern.h"
#include "text/split/behavior.h"
#include "text/split/pre_tokenizer.h"

namespace braid::text {
namespace {

class Split final : public PreTokenizer {
 public:
  Split(std::unique_ptr<Pattern> pattern, Cut cut) : pattern_(std::move(pattern)), cut_(cut) {}
  void apply(PreTokenized& text) const override {
    std::vector<Span> matches, parts;
    text.split([&](const Piece& piece, auto emit) {
      matches.clear(), parts.clear();
      pattern_->find_all(piece.text, matches);
      cut_at(static_cast<uint32_t>(piece.text.size()), matches, cut_, parts);
      for (const Span& part : parts) emit(piece.slice(part.begin, part.end));
    });
  }

 private:
  std::unique_ptr<Pattern> pattern_;
  Cut cut_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_split(const Json& node, const Limits& limits) {
  const Cut cut{read_behavior(node.at("behavior")), node.at("invert").as_bool()};
  return std::make_unique<Split>(read_pattern(node.at("pattern"), limits), cut);
}

}  // namespace braid::text
