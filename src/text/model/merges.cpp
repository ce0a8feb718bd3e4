#include "text/model/merges.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/parallel.h"
#include "text/unicode/utf8.h"

namespace braid::text {

namespace {

struct Pair {
  std::string_view first, second;
};

/// "a b"; no pair for the header of a merges.txt. Nothing when it is neither.
std::optional<Pair> read_line(std::string_view text) {
  if (text.starts_with("#version")) return Pair{};
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) return std::nullopt;
  return Pair{text.substr(0, space), text.substr(space + 1)};
}

}  // namespace

/// Where merges come from.
struct MergeList {
  virtual ~MergeList() = default;
  virtual size_t size() const = 0;
  virtual Pair pair(size_t i) const = 0;
  virtual void complain(size_t i, const std::string& what) const = 0;  // throws an Error at merge i
  [[noreturn]] void fail(size_t i, const std::string& what) const {
    complain(i, what);
    throw Error(what);
  }
  [[noreturn]] void fail_line(size_t i, std::string_view text) const {
    fail(i, "the merge \"" + std::string(text.substr(0, 64)) + "\" is not two tokens with a space between");
  }
};

namespace {

/// Both spellings of tokenizer.json: "a b", from before tokens could hold spaces, and ["a", "b"].
struct JsonMerges final : MergeList {
  explicit JsonMerges(const Json& json) : list(json) {}
  size_t size() const override { return list.size(); }
  Pair pair(size_t i) const override {
    const Json merge = list[i];
    if (!merge.is_array()) {
      if (const auto line = read_line(merge.as_string())) return *line;
      fail_line(i, merge.as_string());
    }
    if (merge.size() != 2) merge.fail("a merge joins two tokens, not " + std::to_string(merge.size()));
    return {merge[0].as_string(), merge[1].as_string()};
  }
  void complain(size_t i, const std::string& what) const override { list[i].fail(what); }
  const Json& list;
};

struct LineMerges final : MergeList {
  LineMerges(std::span<const std::string_view> l, const MergeTable::Fail& f) : lines(l), thrower(f) {}
  size_t size() const override { return lines.size(); }
  Pair pair(size_t i) const override {
    if (const auto line = read_line(lines[i])) return *line;
    fail_line(i, lines[i]);
  }
  void complain(size_t i, const std::string& what) const override { thrower(i, what); }
  std::span<const std::string_view> lines;
  const MergeTable::Fail& thrower;
};

/// Looks the merges of a file up. The tokens lie anywhere in a table of megabytes, so what comes next is asked for
/// early.
class Lookup {
 public:
  Lookup(const MergeList& list, const Vocabulary& vocabulary, std::string_view prefix)
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
        list_.fail(i,
                   "the token \"" + std::string(merge.second.token) + "\" is shorter than the prefix of inner tokens");
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
    const Pair pair = list_.pair(i);
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
    list_.fail(i, "the merge needs the token \"" + std::string(search.token) + "\", which the vocabulary lacks");
  }

  const MergeList& list_;
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

LargeVector<MergeTable::Entry> MergeTable::look_up(const MergeList& list, const Vocabulary& vocabulary,
                                                   std::string_view prefix) {
  LargeVector<Entry> entries(list.size());
  constexpr size_t kChunk = 32'768;  // a few milliseconds: worth a thread
  parallel_for((list.size() + kChunk - 1) / kChunk, [&](size_t chunk) {
    const size_t begin = chunk * kChunk, end = std::min(begin + kChunk, list.size());
    Lookup(list, vocabulary, prefix).run(begin, end, [&](size_t i, int32_t first, int32_t second, int32_t joined) {
      entries[i] = {key_of(first, second), {.rank = static_cast<uint32_t>(i), .id = joined}};
    });
  });
  std::erase_if(entries, [](const Entry& entry) { return entry.key == kEmpty; });
  return entries;
}

MergeTable MergeTable::read(const Json& list, const Vocabulary& vocabulary, std::string_view prefix,
                            const Limits& limits) {
  if (!list.is_array()) list.fail("the merges are no list");
  if (list.size() > limits.max_vocabulary)
    list.fail(std::to_string(list.size()) + " merges are more than the limit of " +
              std::to_string(limits.max_vocabulary));
  return MergeTable(look_up(JsonMerges(list), vocabulary, prefix));
}

MergeTable MergeTable::read(std::span<const std::string_view> lines, const Vocabulary& vocabulary, const Fail& fail) {
  return MergeTable(look_up(LineMerges(lines, fail), vocabulary, {}));
}

MergeTable MergeTable::from_scores(const Vocabulary& vocabulary, std::span<const float> scores) {
  std::vector<int32_t> order;  // tokens that merges make, the highest score first
  for (size_t id = 0; id < scores.size(); ++id)
    if (!std::isnan(scores[id])) order.push_back(static_cast<int32_t>(id));
  const auto score = [&](int32_t id) { return scores[static_cast<size_t>(id)]; };
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return score(a) > score(b); });
  std::vector<Entry> entries;
  uint32_t rank = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && score(order[i]) != score(order[i - 1])) ++rank;  // of equal scores the leftmost merges first
    const std::string_view token = vocabulary.token(order[i]).value_or("");
    for (size_t cut = 1; cut < token.size(); ++cut) {
      if (utf8::is_continuation(token[cut])) continue;
      const auto first = vocabulary.find(token.substr(0, cut)), second = vocabulary.find(token.substr(cut));
      if (first && second && !std::isnan(score(*first)) && !std::isnan(score(*second)))
        entries.push_back({key_of(*first, *second), {.rank = rank, .id = order[i]}});
    }
  }
  return MergeTable(entries);
}

}  // namespace braid::text
