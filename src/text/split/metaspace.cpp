#include "text/base/kinds.h"
#include "text/pattern/pattern.h"
#include "text/split/behavior.h"
#include "text/split/pre_tokenizer.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

enum class Prepend : uint8_t { first, never, always };

/// SentencePiece's way: spaces become ▁, one is put in front, and each word keeps the one before it.
class Metaspace final : public PreTokenizer {
 public:
  Metaspace(std::string replacement, Prepend prepend, bool split)
      : replacement_(std::move(replacement)),
        prepend_(prepend),
        split_(split),
        space_(make_literal(" ")),
        mark_(make_literal(replacement_)) {}

  void apply(PreTokenized& text) const override {
    std::vector<Span> matches, parts;
    text.split([&](const Piece& original, auto emit) {
      if (original.empty()) return;
      matches.clear(), parts.clear();
      space_->find_all(original.text, matches);
      Piece piece = replace(original, matches, replacement_, text.arena);
      const bool wanted =
          prepend_ == Prepend::always || (prepend_ == Prepend::first && original.source(0, 1).begin == 0);
      if (wanted && !piece.text.starts_with(replacement_)) piece = prepend(piece, replacement_, text.arena);
      if (!split_) return emit(piece);
      matches.clear();
      mark_->find_all(piece.text, matches);
      cut_at(static_cast<uint32_t>(piece.text.size()), matches, {Behavior::merged_with_next}, parts);
      for (const Span& part : parts) emit(piece.slice(part.begin, part.end));
    });
  }

 private:
  std::string replacement_;
  Prepend prepend_;
  bool split_;
  std::unique_ptr<Pattern> space_, mark_;
};

Prepend read_prepend(const Json& node) {
  const auto scheme = optional_member(node, "prepend_scheme");
  const std::string_view name = scheme ? scheme->as_string() : "always";
  if (name != "first" && name != "never" && name != "always")
    scheme->fail("the prepend_scheme \"" + std::string(name) + "\" is unknown", "first, never or always");
  if (!flag(node, "add_prefix_space", true)) {
    if (scheme && name != "never") scheme->fail("prepend_scheme contradicts add_prefix_space");
    return Prepend::never;
  }
  return name == "first" ? Prepend::first : name == "never" ? Prepend::never : Prepend::always;
}

}  // namespace

std::unique_ptr<PreTokenizer> make_metaspace_pre_tokenizer(const Json& node, const Limits&) {
  std::string replacement;
  utf8::append(replacement, character_member(node, "replacement"));
  return std::make_unique<Metaspace>(std::move(replacement), read_prepend(node), flag(node, "split", true));
}

}  // namespace braid::text
