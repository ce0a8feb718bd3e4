#include "text/base/kinds.h"
#include "text/pattern/pattern.h"
#include "text/split/behavior.h"
#include "text/split/pre_tokenizer.h"

namespace braid::text {
namespace {

constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

class ByteLevel final : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, std::unique_ptr<Pattern> pattern)
      : add_prefix_space_(add_prefix_space), pattern_(std::move(pattern)) {}
  void apply(PreTokenized& text) const override {
    std::vector<Span> matches, parts;
    text.split([&](const Piece& original, auto emit) {
      const bool wants_space = add_prefix_space_ && !original.text.starts_with(' ');
      const Piece piece = wants_space ? prepend(original, " ", text.arena) : original;
      if (!pattern_) return emit(piece);
      matches.clear(), parts.clear();
      pattern_->find_all(piece.text, matches);
      cut_at(static_cast<uint32_t>(piece.text.size()), matches, {}, parts);
      for (const Span& part : parts) emit(piece.slice(part.begin, part.end));
    });
    text.byte_level = true;
  }

 private:
  bool add_prefix_space_;
  std::unique_ptr<Pattern> pattern_;  // none: the words were cut before
};

}  // namespace

std::unique_ptr<PreTokenizer> make_byte_level_pre_tokenizer(const Json& node, const Limits& limits) {
  std::unique_ptr<Pattern> pattern;
  if (flag(node, "use_regex", true)) pattern = make_regex(kGpt2, node, limits);
  return std::make_unique<ByteLevel>(node.at("add_prefix_space").as_bool(), std::move(pattern));
}

}  // namespace braid::text
