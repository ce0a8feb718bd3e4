// Unigram (Kudo 2018): of all ways to cut a word into tokens, the one whose scores add up to the most (Viterbi over a
// trie).

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "text/base/kinds.h"
#include "text/base/trie.h"
#include "text/model/make.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

class Unigram final : public Model {
 public:
  Unigram(const Json& node, const Limits& limits) : byte_fallback_(flag(node, "byte_fallback", false)) {
    const Json list = node.at("vocab");
    if (!list.is_array()) list.fail("the vocabulary is no list of tokens and scores");
    if (list.size() > limits.max_vocabulary)
      list.fail(std::to_string(list.size()) + " tokens are more than the limit of " +
                std::to_string(limits.max_vocabulary));
    for (size_t i = 0; i < list.size(); ++i) {
      const Json entry = list[i];
      if (!entry.is_array() || entry.size() != 2) entry.fail("a token and its score are wanted");
      const std::string_view token = entry[0].as_string();
      if (token.size() > limits.max_token_bytes)
        entry.fail("a token of " + std::to_string(token.size()) + " bytes is too long");
      if (!vocabulary_.add(token, static_cast<int32_t>(i)))
        entry.fail("the token \"" + std::string(token) + "\" occurs twice");
      scores_.push_back(entry[1].as_double());
    }
    if (const auto unknown = optional_member(node, "unk_id")) {
      unknown_ = read_token_id(*unknown, limits);
      if (static_cast<size_t>(*unknown_) >= scores_.size())
        unknown->fail("unk_id " + std::to_string(*unknown_) + " is not in the vocabulary");
    }
    index();
  }
  explicit Unigram(UnigramParts parts)
      : vocabulary_(std::move(parts.vocabulary)),
        scores_(std::move(parts.scores)),
        unknown_(parts.unknown),
        byte_fallback_(parts.byte_fallback) {
    index();
  }

  std::unique_ptr<Scratch> make_scratch() const override { return std::make_unique<Work>(); }
  const Vocabulary& vocabulary() const override { return vocabulary_; }

  void tokenize(const Word& word, Scratch& scratch, std::vector<Token>& tokens) const override {
    Work& work = static_cast<Work&>(scratch);
    search(word.text, work);
    // Back along the best path; neighbouring unknown characters become one.
    work.path.clear();
    for (auto end = static_cast<uint32_t>(word.text.size()); end > 0;) {
      const Node& node = work.nodes[end];
      const bool joins = !work.path.empty() && node.id == unknown_ && work.path.back().id == unknown_;
      if (joins)
        work.path.back().begin = node.begin;
      else
        work.path.push_back({node.id, node.begin, end});
      end = node.begin;
    }
    for (auto part = work.path.rbegin(); part != work.path.rend(); ++part) emit(word.text, *part, tokens);
  }

 private:
  /// The best way to reach a byte of the word: its last token.
  struct Node {
    double score = 0;
    uint32_t begin = kUnreached;
    int32_t id = 0;
  };
  static constexpr uint32_t kUnreached = UINT32_MAX;
  struct Work final : Scratch {
    std::vector<Node> nodes;
    std::vector<Token> path;
  };

  void index() {
    double lowest = std::numeric_limits<double>::infinity();
    for (size_t id = 0; id < scores_.size(); ++id) {
      const std::string_view token = vocabulary_.token(static_cast<int32_t>(id)).value_or("");
      if (std::isnan(scores_[id])) continue;
      if (!token.empty()) trie_.insert(token, static_cast<int32_t>(id));
      lowest = std::min(lowest, scores_[id]);
    }
    constexpr double kUnknownPenalty = 10;  // as in SentencePiece
    unknown_score_ = lowest - kUnknownPenalty;
  }

  void search(std::string_view text, Work& work) const {
    work.nodes.assign(text.size() + 1, {});
    const auto offer = [&](size_t begin, size_t end, double score, int32_t id) {
      Node& target = work.nodes[end];
      const double total = work.nodes[begin].score + score;
      if (target.begin == kUnreached || total > target.score) target = {total, static_cast<uint32_t>(begin), id};
    };
    for (size_t begin = 0; begin < text.size();) {
      const size_t character = utf8::length(text[begin]);
      bool single = false;
      uint32_t node = 0;
      for (size_t end = begin; end < text.size();) {
        node = trie_.next(node, static_cast<uint8_t>(text[end++]));
        if (node == Trie::kNone) break;
        ++work.steps;
        const int32_t id = trie_.value(node);
        if (id < 0) continue;
        offer(begin, end, scores_[static_cast<size_t>(id)], id);
        single |= end - begin == character;
      }
      if (!single) {
        if (!unknown_)
          throw Error("the text holds a character of no token, and the vocabulary has no unknown token",
                      {{}, "model.unk_id", {}});
        offer(begin, begin + character, unknown_score_, *unknown_);
      }
      begin += character;
    }
  }

  void emit(std::string_view text, const Token& part, std::vector<Token>& tokens) const {
    const std::string_view piece = text.substr(part.begin, part.end - part.begin);
    // Fused unknown characters may spell a token, which then counts.
    const auto id = part.id == unknown_ ? vocabulary_.find(piece) : part.id;
    if (id) {
      tokens.push_back({*id, part.begin, part.end});
      return;
    }
    if (byte_fallback_ && emit_bytes(piece, part, tokens)) return;
    tokens.push_back(part);
  }

  bool emit_bytes(std::string_view piece, const Token& part, std::vector<Token>& tokens) const {
    const size_t before = tokens.size();
    for (const char byte : piece) {
      char name[8];
      std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(static_cast<uint8_t>(byte)));
      const auto id = vocabulary_.find(name);
      if (!id) {
        tokens.resize(before);
        return false;
      }
      tokens.push_back({*id, part.begin, part.end});
    }
    return true;
  }

  Vocabulary vocabulary_;
  Trie trie_;
  std::vector<double> scores_;  // by id
  std::optional<int32_t> unknown_;
  double unknown_score_;
  bool byte_fallback_;
};

}  // namespace

std::unique_ptr<Model> make_unigram(const Json& node, const Limits& limits) {
  return std::make_unique<Unigram>(node, limits);
}

std::unique_ptr<Model> make_unigram(UnigramParts parts) { return std::make_unique<Unigram>(std::move(parts)); }

}  // namespace braid::text
