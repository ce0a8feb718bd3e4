#pragma once
// The merges of byte-pair encoding: pair of token ids → rank and the token they become.

#include <cstdint>
#include <span>
#include <vector>

#include "text/base/vocabulary.h"

namespace braid::text {

struct Merge {
  uint32_t rank;  ///< lower is earlier
  int32_t id;     ///< the token that the pair becomes
};

class MergeTable {
 public:
  MergeTable() : MergeTable(std::span<const Entry>()) {}
  /// From a JSON array of "a b" or ["a", "b"]. `prefix` is what the second of a pair starts with inside words
  /// (continuing_subword_prefix). Throws Error naming the merge when one of the pair, or the token they become, is not
  /// in the vocabulary. The later of two equal pairs counts.
  static MergeTable read(const Json& list, const Vocabulary& vocabulary, std::string_view prefix, const Limits& limits);

  /// Null when the pair does not merge.
  const Merge* find(int32_t first, int32_t second) const {
    const uint64_t key = key_of(first, second);
    for (size_t at = slot_of(key);; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return &slots_[at].merge;
      if (slots_[at].key == kEmpty) return nullptr;
    }
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
  size_t slot_of(uint64_t key) const { return hash(key, seed_) & mask_; }

  std::vector<Entry> slots_;  // a power of two of them, at most two thirds full
  size_t mask_ = 0;
  uint64_t seed_ = random_seed();
};

}  // namespace braid::text
