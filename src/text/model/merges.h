#pragma once
// The merges of byte-pair encoding: pair of token ids → rank and the token they become.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/base/vocabulary.h"

namespace braid::text {

struct Merge {
  uint32_t rank;  ///< lower is earlier
  int32_t id;     ///< the token that the pair becomes
};

struct MergeList;  // of a file: model/merges.cpp

class MergeTable {
 public:
  MergeTable() : MergeTable(std::span<const Entry>()) {}
  /// From a JSON array of "a b" or ["a", "b"]. `prefix` is what the second of a pair starts with inside words
  /// (continuing_subword_prefix). Throws Error naming the merge when one of the pair, or the token they become, is not
  /// in the vocabulary. The later of two equal pairs counts.
  static MergeTable read(const Json& list, const Vocabulary& vocabulary, std::string_view prefix, const Limits& limits);
  /// The same from lines "a b"; `fail(line, what)` throws.
  using Fail = std::function<void(size_t line, const std::string& what)>;
  static MergeTable read(std::span<const std::string_view> lines, const Vocabulary& vocabulary, const Fail& fail);
  /// SentencePiece's: any two tokens merge that make a third, the one of the highest score first. `scores`: of each id;
  /// NaN for tokens that take no part in merges.
  static MergeTable from_scores(const Vocabulary& vocabulary, std::span<const float> scores);

  /// Null when the pair does not merge.
  const Merge* find(int32_t first, int32_t second) const {
    const uint64_t key = key_of(first, second);
    for (size_t at = slot_of(key);; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return &slots_[at].merge;
      if (slots_[at].key == kEmpty) return nullptr;
    }
  }
  /// Whether holds(first, second) for each pair that merges.
  template <class Holds>
  bool all_of(Holds holds) const {
    return std::ranges::all_of(slots_, [&](const Entry& entry) {
      return entry.key == kEmpty || holds(static_cast<int32_t>(entry.key >> 32), static_cast<int32_t>(entry.key));
    });
  }

 private:
  struct Entry {
    uint64_t key = kEmpty;
    Merge merge{};
  };
  static constexpr uint64_t kEmpty = UINT64_MAX;  // no pair: ids are not negative
  static uint64_t key_of(int32_t first, int32_t second) {
    return static_cast<uint64_t>(static_cast<uint32_t>(first)) << 32 | static_cast<uint32_t>(second);
  }
  explicit MergeTable(std::span<const Entry> merges);
  static LargeVector<Entry> look_up(const MergeList& list, const Vocabulary& vocabulary, std::string_view prefix);
  size_t slot_of(uint64_t key) const { return hash(key, seed_) & mask_; }

  LargeVector<Entry> slots_;  // a power of two of them, at most two thirds full
  size_t mask_ = 0;
  uint64_t seed_ = random_seed();
};

}  // namespace braid::text
