#pragma once
// A trie over bytes: the longest, or every, key that starts somewhere in a text.

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "text/base/hash.h"

namespace braid::text {

/// A byte trie in one table: edges are hashed by (node, byte), so it takes memory by its nodes alone.
class Trie {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// A later value for an equal key counts.
  void insert(std::string_view key, int32_t value) {
    uint32_t node = 0;
    for (const char c : key) {
      const uint32_t child = next(node, static_cast<uint8_t>(c));
      node = child != kNone ? child : add(node, static_cast<uint8_t>(c));
    }
    values_[node] = value;
  }
  /// The node after `byte`, from node 0 on; kNone when no key goes on so.
  uint32_t next(uint32_t node, uint8_t byte) const {
    const uint64_t key = key_of(node, byte);
    for (size_t at = slot_of(key);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].key == key) return slots_[at].node;
      if (slots_[at].node == kNone) return kNone;
    }
  }
  /// The value of the key that ends at a node, or −1.
  int32_t value(uint32_t node) const { return values_[node]; }

 private:
  struct Slot {
    uint64_t key = UINT64_MAX;
    uint32_t node = kNone;
  };
  static uint64_t key_of(uint32_t node, uint8_t byte) { return uint64_t{node} << 8 | byte; }
  size_t slot_of(uint64_t key) const { return hash(key, seed_) & (slots_.size() - 1); }

  uint32_t add(uint32_t parent, uint8_t byte) {
    if (2 * values_.size() > slots_.size()) grow();
    const auto node = static_cast<uint32_t>(values_.size());
    values_.push_back(-1);
    place({key_of(parent, byte), node});
    return node;
  }
  void place(const Slot& slot) {
    size_t at = slot_of(slot.key);
    while (slots_[at].node != kNone) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
  void grow() {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
    for (const Slot& slot : old) {
      if (slot.node != kNone) place(slot);
    }
  }

  std::vector<int32_t> values_{-1};  // by node; −1: no key ends here
  std::vector<Slot> slots_ = std::vector<Slot>(1024);
  uint64_t seed_ = random_seed();
};

}  // namespace braid::text
