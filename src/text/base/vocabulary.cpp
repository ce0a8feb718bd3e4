#include "text/base/vocabulary.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace braid::text {
namespace {

/// The first eight bytes of a token, zeros behind a shorter one.
uint64_t head_of(std::string_view token) {
  uint64_t head = 0;
  if (!token.empty()) std::memcpy(&head, token.data(), std::min(token.size(), sizeof head));
  return head;
}

}  // namespace

Vocabulary::Vocabulary() { rehash(16); }

void Vocabulary::reserve(size_t tokens, size_t bytes) {
  characters_.reserve(bytes);
  entries_.reserve(tokens);
  rehash(std::bit_ceil(2 * tokens + 16));
}

void Vocabulary::rehash(size_t slots) {
  slots_.assign(slots, {});
  for (size_t id = 0; id < entries_.size(); ++id) {
    if (entries_[id].bytes == kAbsent) continue;
    const std::string_view token = view(entries_[id]);
    size_t at = hash(token, seed_) & (slots - 1);
    while (slots_[at].id >= 0) at = (at + 1) & (slots - 1);
    slots_[at] = {head_of(token), entries_[id].bytes, static_cast<int32_t>(id)};
  }
}

bool Vocabulary::holds(const Slot& slot, std::string_view token, uint64_t head) const {
  if (slot.head != head || slot.bytes != token.size()) return false;
  return token.size() <= 8 || view(entries_[static_cast<size_t>(slot.id)]).substr(8) == token.substr(8);
}

bool Vocabulary::add(std::string_view token, int32_t id) {
  const auto index = static_cast<size_t>(id);
  if (index < entries_.size() && entries_[index].bytes != kAbsent) return false;
  if (2 * (count_ + 1) > slots_.size()) rehash(2 * slots_.size());
  const size_t mask = slots_.size() - 1;
  const uint64_t head = head_of(token);
  size_t at = hash(token, seed_) & mask;
  for (; slots_[at].id >= 0; at = (at + 1) & mask) {
    if (holds(slots_[at], token, head)) return false;
  }
  if (index >= entries_.size()) entries_.resize(index + 1);
  entries_[index] = {static_cast<uint32_t>(characters_.size()), static_cast<uint32_t>(token.size())};
  characters_ += token;
  slots_[at] = {head, static_cast<uint32_t>(token.size()), id};
  ++count_;
  return true;
}

std::optional<int32_t> Vocabulary::find(const Search& search) const {
  const size_t mask = slots_.size() - 1;
  const uint64_t head = head_of(search.token);
  for (size_t at = search.hash & mask; slots_[at].id >= 0; at = (at + 1) & mask) {
    if (holds(slots_[at], search.token, head)) return slots_[at].id;
  }
  return std::nullopt;
}

std::optional<std::string_view> Vocabulary::token(int32_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= entries_.size()) return std::nullopt;
  const Entry& entry = entries_[static_cast<size_t>(id)];
  if (entry.bytes == kAbsent) return std::nullopt;
  return view(entry);
}

int32_t read_token_id(const Json& id, const Limits& limits) {
  const int64_t value = id.as_int();
  if (value < 0) id.fail("token id " + std::to_string(value) + " is negative");
  if (static_cast<uint64_t>(value) >= limits.max_vocabulary) {
    id.fail("token id " + std::to_string(value) + " is beyond the limit of " + std::to_string(limits.max_vocabulary));
  }
  return static_cast<int32_t>(value);
}

Vocabulary Vocabulary::read(const Json& object, const Limits& limits) {
  if (!object.is_object()) object.fail("the vocabulary is no object of tokens and ids");
  if (object.size() > limits.max_vocabulary) {
    object.fail(std::to_string(object.size()) + " tokens are more than the limit of " +
                std::to_string(limits.max_vocabulary));
  }
  uint64_t bytes = 0;
  for (size_t i = 0; i < object.size(); ++i) {
    const size_t length = object.key(i).size();
    if (length > limits.max_token_bytes)
      object.value(i).fail("a token of " + std::to_string(length) + " bytes is too long");
    bytes += length;
  }
  if (bytes >= kAbsent) object.fail("the tokens take more than 4 GiB");
  Vocabulary vocabulary;
  vocabulary.reserve(object.size(), bytes);
  for (size_t i = 0; i < object.size(); ++i) {
    constexpr size_t kAhead = 8;
    if (i + kAhead < object.size()) vocabulary.begin_find(object.key(i + kAhead));
    const Json value = object.value(i);
    const int32_t id = read_token_id(value, limits);
    if (!vocabulary.add(object.key(i), id)) {
      value.fail("token id " + std::to_string(id) + " is taken by \"" + std::string(vocabulary.token(id).value_or("")) +
                 "\" already");
    }
  }
  return vocabulary;
}

}  // namespace braid::text
