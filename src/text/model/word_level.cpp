#include "text/base/kinds.h"
#include "text/model/model.h"

namespace braid::text {
namespace {

/// A word is one token, or the unknown token.
class WordLevel final : public Model {
 public:
  WordLevel(const Json& node, const Limits& limits)
      : vocabulary_(Vocabulary::read(node.at("vocab"), limits)),
        unknown_(vocabulary_.find(string_member(node, "unk_token", "<unk>"))) {}

  void tokenize(const Word& word, Scratch&, std::vector<Token>& tokens) const override {
    const auto found = vocabulary_.find(word.text);
    const auto id = found ? found : unknown_;
    if (!id)
      throw Error("the word \"" + std::string(word.text) + "\" is not in the vocabulary, which has no unknown token",
                  {{}, "model.unk_token", {}});
    tokens.push_back({*id, 0, static_cast<uint32_t>(word.text.size())});
  }
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
  std::optional<int32_t> unknown_;
};

}  // namespace

std::unique_ptr<Model> make_word_level(const Json& node, const Limits& limits) {
  return std::make_unique<WordLevel>(node, limits);
}

}  // namespace braid::text
