#pragma once
// Vocabulary: tokens ↔ ids. One block of characters and one open-addressed table, since a tokenizer of 128k tokens must
// load in tens of milliseconds.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/large_pages.h"
#include "text/base/hash.h"

namespace braid::text {

class Vocabulary {
 public:
  Vocabulary();
  /// From a JSON object {token: id, …}. Throws Error naming the entry: an id that is negative, no integer, taken
  /// already, or at least limits.max_vocabulary; a token longer than limits.max_token_bytes; more tokens than
  /// limits.max_vocabulary.
  static Vocabulary read(const Json& object, const Limits& limits);

  /// False when the id or the token is taken. The id is below Limits::max_vocabulary (the caller checks).
  bool add(std::string_view token, int32_t id);
  std::optional<int32_t> find(std::string_view token) const { return find({token, hash(token, seed_)}); }
  /// A search in two halves: `begin_find` asks the memory for what `find` will read, which pays when others come
  /// between.
  struct Search {
    std::string_view token;
    uint64_t hash;
  };
  Search begin_find(std::string_view token) const {
    const uint64_t h = hash(token, seed_);
    __builtin_prefetch(&slots_[h & (slots_.size() - 1)]);
    return {token, h};
  }
  std::optional<int32_t> find(const Search& search) const;
  /// Nothing for an id that no token has.
  std::optional<std::string_view> token(int32_t id) const;
  /// Tokens.
  size_t size() const { return count_; }
  /// One more than the highest id.
  size_t end() const { return entries_.size(); }

 private:
  /// Where a token's characters lie, by id.
  struct Entry {
    uint32_t offset = 0;
    uint32_t bytes = kAbsent;
  };
  /// The first eight bytes of a token decide nearly every comparison, so they lie in the table itself: one cache line
  /// per search.
  struct Slot {
    uint64_t head = 0;
    uint32_t bytes = 0;
    int32_t id = -1;
  };
  static constexpr uint32_t kAbsent = UINT32_MAX;

  void reserve(size_t tokens, size_t bytes);
  void rehash(size_t slots);
  std::string_view view(const Entry& e) const { return {characters_.data() + e.offset, e.bytes}; }
  bool holds(const Slot& slot, std::string_view token, uint64_t head) const;

  std::string characters_;
  LargeVector<Entry> entries_;  // by id
  LargeVector<Slot> slots_;     // a power of two of them, at most half full
  size_t count_ = 0;
  uint64_t seed_ = random_seed();
};

/// The integer `id` as a token id: throws at it when it is negative or not below limits.max_vocabulary.
int32_t read_token_id(const Json& id, const Limits& limits);

}  // namespace braid::text
