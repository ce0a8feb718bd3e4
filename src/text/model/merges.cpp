#include "text/model/merges.h"

#include <bit>
#include <string>

namespace braid::text {
namespace {

struct Pair {
  std::string_view first, second;
};

/// Both spellings: "a b", from before tokens could hold spaces, and ["a", "b"].
Pair read_pair(const Json& merge) {
  if (merge.is_array()) {
    if (merge.size() != 2) merge.fail("a merge joins two tokens, not " + std::to_string(merge.size()));
    return {merge[0].as_string(), merge[1].as_string()};
  }
  const std::string_view text = merge.as_string();
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

MergeTable::MergeTable(size_t merges) : slots_(std::bit_ceil(2 * merges + 16)), mask_(slots_.size() - 1) {}

void MergeTable::set(int32_t first, int32_t second, Merge merge) {
  const uint64_t key = key_of(first, second);
  size_t at = slot_of(key);
  while (slots_[at].key != key && slots_[at].key != kEmpty) at = (at + 1) & mask_;
  slots_[at] = {key, merge};
}

MergeTable MergeTable::read(const Json& list, const Vocabulary& vocabulary, std::string_view prefix,
                            const Limits& limits) {
  if (!list.is_array()) list.fail("the merges are no list");
  if (list.size() > limits.max_vocabulary)
    list.fail(std::to_string(list.size()) + " merges are more than the limit of " +
              std::to_string(limits.max_vocabulary));
  MergeTable table(list.size());
  std::string joined;
  for (size_t i = 0, rank = 0; i < list.size(); ++i) {
    const Json merge = list[i];
    if (merge.is_string() && merge.as_string().starts_with("#version")) continue;  // the header of a merges.txt
    const Pair pair = read_pair(merge);
    const int32_t first = id_of(vocabulary, pair.first, merge), second = id_of(vocabulary, pair.second, merge);
    if (pair.second.size() < prefix.size())
      merge.fail("the token \"" + std::string(pair.second) + "\" is shorter than the prefix of inner tokens");
    joined.assign(pair.first).append(pair.second.substr(prefix.size()));
    table.set(first, second, {static_cast<uint32_t>(rank++), id_of(vocabulary, joined, merge)});
  }
  return table;
}

}  // namespace braid::text
