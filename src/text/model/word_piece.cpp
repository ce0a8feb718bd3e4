#include <algorithm>

#include "text/base/kinds.h"
#include "text/model/make.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

/// The longest token that starts the word, then the longest that continues it, and so on (Wu et al. 2016); one unknown
/// token when that leads nowhere.
class WordPiece final : public Model {
 public:
  WordPiece(const Json& node, const Limits& limits)
      : vocabulary_(Vocabulary::read(node.at("vocab"), limits)),
        prefix_(string_member(node, "continuing_subword_prefix", "##")) {
    const auto longest = optional_member(node, "max_input_chars_per_word");
    max_characters_ = longest ? longest->as_uint() : 100;
    index(string_member(node, "unk_token", "[UNK]"));
  }
  explicit WordPiece(WordPieceParts parts) : vocabulary_(std::move(parts.vocabulary)), prefix_("##") {
    index(parts.unknown);
  }

  void tokenize(const Word& word, Scratch& scratch, std::vector<Token>& tokens) const override {
    const size_t before = tokens.size();
    if (utf8::count(word.text) <= max_characters_ && cut(word.text, scratch, tokens)) return;
    tokens.resize(before);
    if (!unknown_)
      throw Error("the word \"" + std::string(word.text) + "\" has no tokens, and the vocabulary has no unknown token",
                  {{}, "model.unk_token", {}});
    tokens.push_back({*unknown_, 0, static_cast<uint32_t>(word.text.size())});
  }
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  void index(std::string_view unknown) {
    unknown_ = vocabulary_.find(unknown);
    for (int32_t id = 0; id < static_cast<int32_t>(vocabulary_.end()); ++id) {
      longest_token_ = std::max(longest_token_, vocabulary_.token(id).value_or("").size());
    }
  }

  bool cut(std::string_view text, Scratch& scratch, std::vector<Token>& tokens) const {
    std::string candidate;
    for (size_t begin = 0; begin < text.size();) {
      candidate.assign(begin > 0 ? prefix_ : "");
      const size_t inner = candidate.size();
      candidate += text.substr(begin, longest_token_);
      size_t end = begin + candidate.size() - inner;
      while (end < text.size() && end > begin && utf8::is_continuation(text[end])) --end;
      std::optional<int32_t> id;
      for (; end > begin; end = utf8::previous(text, end)) {
        candidate.resize(inner + (end - begin));
        ++scratch.steps;
        if ((id = vocabulary_.find(candidate))) break;
      }
      if (!id) return false;
      tokens.push_back({*id, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
      begin = end;
    }
    return true;
  }

  Vocabulary vocabulary_;
  std::string prefix_;
  std::optional<int32_t> unknown_;
  uint64_t max_characters_ = 100;
  size_t longest_token_ = 0;
};

}  // namespace

std::unique_ptr<Model> make_word_piece(const Json& node, const Limits& limits) {
  return std::make_unique<WordPiece>(node, limits);
}

std::unique_ptr<Model> make_word_piece(WordPieceParts parts) { return std::make_unique<WordPiece>(std::move(parts)); }

}  // namespace braid::text
