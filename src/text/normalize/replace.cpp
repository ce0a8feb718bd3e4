#include "text/normalize/normalizer.h"
#include "text/pattern/pattern.h"

namespace braid::text {
namespace {

class Replace final : public Normalizer {
 public:
  Replace(std::unique_ptr<Pattern> pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  Piece apply(const Piece& piece, Arena& arena) const override {
    if (piece.empty()) return piece;
    std::vector<Span> matches;
    pattern_->find_all(piece.text, matches);
    return replace(piece, matches, content_, arena);
  }

 private:
  std::unique_ptr<Pattern> pattern_;
  std::string content_;
};

}  // namespace

std::unique_ptr<Normalizer> make_replace_normalizer(const Json& node, const Limits& limits) {
  return std::make_unique<Replace>(read_pattern(node.at("pattern"), limits),
                                   std::string(node.at("content").as_string()));
}

}  // namespace braid::text
