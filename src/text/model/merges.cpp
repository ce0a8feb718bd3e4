#include "text/model/merges.h"

#include <array>
#include <bit>
#include <string>

namespace braid::text {
namespace {

struct Pair {
  std::string_view first, second;
};

/// Both spellings: "a b", from before tokens could hold spaces, and ["a", "b"]. No pair for the header of a merges.txt.
Pair read_pair(const Json& merge) {
  if (merge.is_array()) {
    if (merge.size() != 2) merge.fail("a merge joins two tokens, not " + std::to_string(merge.size()));
    return {merge[0].as_string(), merge[1].as_string()};
  }
  const std::string_view text = merge.as_string();
  if (text.starts_with("#version")) return {};
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
    merge.fail("the merge \"" + std::string(text) + "\" is not two tokens with a space between");
  }
  return {text.substr(0, space), text.substr(space + 1)};
}

int32_t id_of(const Vocabulary& vocabulary, std::string_view token, const Json& merge) {
  if (const auto id = vocabulary.find(token)) return *id;
  merge.fail("the merge needs the token \"" + std::string(token) + "\", which the vocabulary lacks");
}

}  // namespace

MergeTable::MergeTable(std::span<const Entry> merges) {
  slots_.resize(std::bit_ceil(merges.size() + merges.size() / 2 + 16));
  mask_ = slots_.size() - 1;
  constexpr size_t kAhead = 8;
  for (size_t i = 0; i < merges.size(); ++i) {
    if (i + kAhead < merges.size()) __builtin_prefetch(&slots_[slot_of(merges[i + kAhead].key)], 1);
    size_t at = slot_of(merges[i].key);
    while (slots_[at].key != merges[i].key && slots_[at].key != kEmpty) at = (at + 1) & mask_;
    slots_[at] = merges[i];
  }
}

MergeTable MergeTable::read(const Json& list, const Vocabulary& vocabulary, std::string_view prefix,
                            const Limits& limits) {
  if (!list.is_array()) list.fail("the merges are no list");
  if (list.size() > limits.max_vocabulary)
    list.fail(std::to_string(list.size()) + " merges are more than the limit of " +
              std::to_string(limits.max_vocabulary));
  // Files list merges in the order of the tokens they make, so the token is the last one again, or the next: a guess
  // that saves a search.
  int32_t guess = -1;
  std::string joined;
  const auto find_joined = [&](const Json& merge) {
    for (const int32_t id : {guess, guess + 1}) {
      if (vocabulary.token(id) == joined) return id;
    }
    return id_of(vocabulary, joined, merge);
  };
  // The tokens lie anywhere in a table of megabytes: what comes is read ahead.
  constexpr size_t kAhead = 8;
  std::array<Pair, kAhead> coming;
  const auto read_ahead = [&](size_t i) {
    if (i >= list.size()) return;
    const Pair& pair = coming[i % kAhead] = read_pair(list[i]);
    vocabulary.prefetch(pair.first);
    vocabulary.prefetch(pair.second);
  };
  for (size_t i = 0; i < kAhead; ++i) read_ahead(i);
  std::vector<Entry> entries;
  entries.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const Json merge = list[i];
    const Pair pair = coming[i % kAhead];
    read_ahead(i + kAhead);
    if (pair.first.data() == nullptr) continue;
    const int32_t first = id_of(vocabulary, pair.first, merge), second = id_of(vocabulary, pair.second, merge);
    if (pair.second.size() < prefix.size()) {
      merge.fail("the token \"" + std::string(pair.second) + "\" is shorter than the prefix of inner tokens");
    }
    joined.assign(pair.first).append(pair.second.substr(prefix.size()));
    guess = find_joined(merge);
    entries.push_back({key_of(first, second), {static_cast<uint32_t>(entries.size()), guess}});
  }
  return MergeTable(entries);
}

}  // namespace braid::text
