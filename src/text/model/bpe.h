#pragma once
// Byte-pair encoding (Sennrich et al. 2016), over characters or over bytes (Radford et al. 2019): the word's symbols
// are merged pair by pair, the pair of lowest rank first, the leftmost of equals. A heap of candidates makes that n log
// n for a word of n symbols.

#include <array>
#include <string>

#include "text/base/trie.h"
#include "text/model/make.h"

namespace braid::text {

class Bpe final : public Model {
 public:
  Bpe(const Json& node, const Limits& limits);
  explicit Bpe(BpeParts parts);

  std::unique_ptr<Scratch> make_scratch() const override { return std::make_unique<Work>(); }
  /// Byte fallback counts the bytes of the spelling, so the spelling it must be.
  bool reads_bytes() const override { return !byte_fallback_; }
  size_t part_end(const Word& word, size_t begin) const override;
  void tokenize(const Word& word, Scratch& scratch, std::vector<Token>& tokens) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  std::string note() const override { return note_; }

 private:
  /// A symbol of the word; neighbours are indices, −1 at the ends. One that was merged into its left neighbour has no
  /// bytes.
  struct Symbol {
    int32_t id;
    uint32_t bytes;
    int32_t previous;
    int32_t next;
  };
  /// A merge that may be due: of the symbol at `position` and the one after it.
  struct Candidate {
    Merge merge;
    int32_t position;
    bool operator<(const Candidate& other) const {  // the heap's largest is the one to merge next
      return merge.rank != other.merge.rank ? merge.rank > other.merge.rank : position > other.position;
    }
  };
  struct Work final : Scratch {
    std::vector<Symbol> symbols;
    std::vector<Candidate> heap;
    std::string spelling;
  };
  /// Characters of no token, waiting to become one unknown token (fuse_unk) or several.
  struct Unknown {
    bool pending = false;
    uint32_t bytes = 0;
  };

  void spell_bytes();
  /// Whether no token can span the place between another character and a ▁ behind it, as in SentencePiece's
  /// vocabularies, whose ▁ stands for a space and starts tokens.
  bool parts_at_marks() const;
  /// The token of `whole_` that starts at byte `at`, the longest one, and its bytes; −1 when there is none.
  std::pair<int32_t, uint32_t> whole_at(std::string_view text, size_t at) const;
  std::optional<int32_t> whole(const Word& word, Work& work) const;
  void split(const Word& word, Work& work) const;
  /// The symbol, or symbols, for one spelling of `bytes` bytes of the word.
  void add(std::string_view spelling, uint32_t bytes, Unknown& unknown, Work& work) const;
  bool add_fallback(std::string_view spelling, Work& work) const;
  void finish(Unknown& unknown, Work& work) const;
  void merge_all(Work& work) const;
  void push_candidate(int32_t left, Work& work) const;

  Vocabulary vocabulary_;
  MergeTable merges_;
  std::array<int32_t, 256> byte_symbols_{};  // the token of each byte of the byte alphabet, or −1
  std::optional<int32_t> unknown_;
  std::string prefix_, suffix_;  // continuing_subword_prefix, end_of_word_suffix
  bool fuse_unknown_, byte_fallback_, ignore_merges_;
  Trie whole_;  // tokens taken from a word first
  bool has_whole_ = false;
  bool parted_ = false;  // parts_at_marks()
  std::string note_;
};

}  // namespace braid::text
