#include "text/model/merges.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "core/parallel.h"

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

/// Looks the merges of a file up. The tokens lie anywhere in a table of megabytes, so what comes next is asked for
/// early.
class Lookup {
 public:
  Lookup(const Json& list, const Vocabulary& vocabulary, std::string_view prefix)
      : list_(list), vocabulary_(vocabulary), prefix_(prefix) {}

  /// Calls found(i, first, second, joined) with the ids of each merge i of [begin, end).
  template <class Found>
  void run(size_t begin, size_t end, Found found) {
    for (size_t i = begin; i < std::min(begin + kAhead, end); ++i) begin_find(i);
    for (size_t i = begin; i < end; ++i) {
      const Ahead merge = ahead_[i % kAhead];
      if (i + kAhead < end) begin_find(i + kAhead);
      if (merge.first.token.data() == nullptr) continue;
      if (merge.second.token.size() < prefix_.size()) {
        list_[i].fail("the token \"" + std::string(merge.second.token) +
                      "\" is shorter than the prefix of inner tokens");
      }
      const int32_t first = id_of(merge.first, i), second = id_of(merge.second, i);
      joined_.assign(merge.first.token).append(merge.second.token.substr(prefix_.size()));
      found(i, first, second, find_joined(i));
    }
  }

 private:
  static constexpr size_t kAhead = 8;
  struct Ahead {
    Vocabulary::Search first, second;
  };

  void begin_find(size_t i) {
    const Pair pair = read_pair(list_[i]);
    ahead_[i % kAhead] = {vocabulary_.begin_find(pair.first), vocabulary_.begin_find(pair.second)};
  }

  /// Files list merges in the order of the tokens they make: it is the last one again or the next, and nothing is
  /// searched.
  int32_t find_joined(size_t i) {
    for (const int32_t id : {last_, last_ + 1}) {
      if (vocabulary_.token(id) == joined_) return last_ = id;
    }
    return last_ = id_of(vocabulary_.begin_find(joined_), i);
  }

  int32_t id_of(const Vocabulary::Search& search, size_t i) const {
    if (const auto id = vocabulary_.find(search)) return *id;
    list_[i].fail("the merge needs the token \"" + std::string(search.token) + "\", which the vocabulary lacks");
  }

  const Json& list_;
  const Vocabulary& vocabulary_;
  std::string_view prefix_;
  std::array<Ahead, kAhead> ahead_;
  std::string joined_;
  int32_t last_ = -1;
};

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
  std::vector<Entry> entries(list.size());
  constexpr size_t kChunk = 32'768;  // a few milliseconds: worth a thread
  parallel_for((list.size() + kChunk - 1) / kChunk, [&](size_t chunk) {
    const size_t begin = chunk * kChunk, end = std::min(begin + kChunk, list.size());
    Lookup(list, vocabulary, prefix).run(begin, end, [&](size_t i, int32_t first, int32_t second, int32_t joined) {
      entries[i] = {key_of(first, second), {.rank = static_cast<uint32_t>(i), .id = joined}};
    });
  });
  std::erase_if(entries, [](const Entry& entry) { return entry.key == kEmpty; });
  return MergeTable(entries);
}

}  // namespace braid::text
