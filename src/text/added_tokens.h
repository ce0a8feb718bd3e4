#pragma once
// Added tokens: words that are found in the text before the model sees it, most of them special (control) tokens.

#include <bitset>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/json.h"
#include "text/base/pre_tokenized.h"
#include "text/base/trie.h"
#include "text/base/vocabulary.h"
#include "text/normalize/normalizer.h"

namespace braid::text {

struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool single_word = false;  ///< only between characters that are no part of a word
  bool lstrip = false;       ///< takes the spaces before it along
  bool rstrip = false;       ///< takes the spaces after it along
  bool normalized = false;   ///< is looked for, normalised, in the normalised text
  bool special = false;      ///< left out of decoded text on request, and not looked for in text that must stay text
  std::string spelling;      ///< as it stands in normalised text: what decoders see
};

/// Where special tokens count as such.
struct SpecialRule {
  bool read = true;                  ///< false: nowhere
  std::span<const Span> plain = {};  ///< bytes of the original text, ascending, that hold no part of one

  bool allows(const Span& token) const;
};

class AddedTokens {
 public:
  AddedTokens() = default;
  /// From the added_tokens list of tokenizer.json. Throws Error naming the entry: ids that are bad or belong to another
  /// token of `vocabulary`.
  static AddedTokens read(const Json& list, const Vocabulary& vocabulary, const Normalizer* normalizer,
                          const Limits& limits);

  /// `spelling` is set here. Later tokens of the same content replace earlier ones.
  void add(AddedToken token, const Normalizer* normalizer);
  /// Cuts the tokens out of the items that are none yet: those that are looked for in normalised text, or the others.
  void extract(PreTokenized& text, bool normalized, const SpecialRule& rule) const;

  const AddedToken* find(std::string_view content) const;
  const AddedToken* find(int32_t id) const;
  const std::vector<AddedToken>& all() const { return tokens_; }

 private:
  struct Finder {
    Trie trie;  // spelling → index in tokens_
    std::bitset<256> first;
    bool any = false;
  };
  /// The longest token at byte `at`: its index and where it ends.
  struct Found {
    const AddedToken* token = nullptr;
    size_t end = 0;
  };
  Found longest_at(const Finder& finder, std::string_view text, size_t at) const;
  template <class Emit>
  void cut(const Finder& finder, const Piece& piece, const SpecialRule& rule, Emit emit) const;

  std::vector<AddedToken> tokens_;
  std::unordered_map<std::string, size_t> by_content_;
  std::unordered_map<int32_t, size_t> by_id_;
  Finder plain_, normalized_;
};

}  // namespace braid::text
