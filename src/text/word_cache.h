#pragma once
// The tokens of words seen before. Text repeats itself: nine words in ten of a page are in here, and the model is not
// asked.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/base/hash.h"
#include "text/base/pre_tokenized.h"

namespace braid::text {

class WordCache {
 public:
  static constexpr size_t kLongestWord = 64;  ///< bytes; longer ones hardly come again

  /// The word's tokens; nothing when it is not here.
  const std::span<const Token>* find(std::string_view word) {
    if (slots_.empty() || word.size() > kLongestWord) return nullptr;
    const uint64_t h = hash(word, seed_);
    for (size_t at = h & (slots_.size() - 1); slots_[at].count > 0; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.hash != h || std::string_view(texts_).substr(slot.text, slot.bytes) != word) continue;
      found_ = std::span(tokens_).subspan(slot.first, slot.count);
      return &found_;
    }
    return nullptr;
  }

  void insert(std::string_view word, std::span<const Token> tokens) {
    if (tokens.empty() || word.size() > kLongestWord) return;
    if (2 * (count_ + 1) > slots_.size()) grow();
    const Slot slot{hash(word, seed_), static_cast<uint32_t>(texts_.size()), static_cast<uint32_t>(word.size()),
                    static_cast<uint32_t>(tokens_.size()), static_cast<uint32_t>(tokens.size())};
    place(slot);
    texts_ += word;
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
    ++count_;
  }

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t text = 0, bytes = 0;   // in texts_
    uint32_t first = 0, count = 0;  // in tokens_; a free slot has none
  };
  static constexpr size_t kMostSlots = 1 << 17;  // 3 MiB; a fuller cache starts anew

  void place(const Slot& slot) {
    size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].count > 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
  void grow() {
    if (slots_.size() >= kMostSlots) {
      slots_.assign(slots_.size(), {});
      texts_.clear();
      tokens_.clear();
      count_ = 0;
      return;
    }
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? 256 : 2 * slots_.size()));
    for (const Slot& slot : old) {
      if (slot.count > 0) place(slot);
    }
  }

  std::vector<Slot> slots_;
  std::string texts_;
  std::vector<Token> tokens_;
  std::span<const Token> found_;
  size_t count_ = 0;
  uint64_t seed_ = random_seed();
};

}  // namespace braid::text
