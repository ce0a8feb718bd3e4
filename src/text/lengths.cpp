#include "text/lengths.h"

#include <algorithm>

#include "core/error.h"
#include "text/base/kinds.h"
#include "text/base/vocabulary.h"

namespace braid::text {
namespace {

bool is_left(const Json& node) {
  const std::string direction = string_member(node, "direction", "Right");
  if (direction != "Left" && direction != "Right")
    node.at("direction").fail("unknown direction \"" + direction + "\"", "Left or Right");
  return direction == "Left";
}

template <class T>
void keep(std::vector<T>& items, size_t count, bool left) {
  if (items.size() <= count) return;
  if (left)
    items.erase(items.begin(), items.end() - static_cast<std::ptrdiff_t>(count));
  else
    items.resize(count);
}

void keep(Segment& segment, size_t count, bool left) {
  keep(segment.encoding.ids, count, left);
  keep(segment.encoding.offsets, count, left);
  keep(segment.encoding.type_ids, count, left);
  keep(segment.blanks, count, left);
}

template <class T>
void fill(std::vector<T>& items, size_t count, const T& with, bool left) {
  items.insert(left ? items.begin() : items.end(), count - items.size(), with);
}

}  // namespace

Truncation read_truncation(const Json& node) {
  Truncation truncation{.max_length = node.at("max_length").as_uint(), .left = is_left(node)};
  const std::string strategy = string_member(node, "strategy", "LongestFirst");
  if (strategy == "OnlyFirst")
    truncation.strategy = Truncation::Strategy::only_first;
  else if (strategy == "OnlySecond")
    truncation.strategy = Truncation::Strategy::only_second;
  else if (strategy != "LongestFirst")
    node.at("strategy").fail("unknown strategy \"" + strategy + "\"", "LongestFirst, OnlyFirst or OnlySecond");
  return truncation;
}

Padding read_padding(const Json& node, const Limits& limits) {
  Padding padding{.id = read_token_id(node.at("pad_id"), limits), .left = is_left(node)};
  padding.type_id = static_cast<int32_t>(node.at("pad_type_id").as_int());
  if (const auto multiple = optional_member(node, "pad_to_multiple_of")) padding.multiple_of = multiple->as_uint();
  const Json strategy = node.at("strategy");
  if (strategy.is_object())
    padding.fixed = strategy.at("Fixed").as_uint();
  else if (strategy.as_string() != "BatchLongest")
    strategy.fail("unknown strategy", "BatchLongest or {\"Fixed\": LENGTH}");
  if (std::max(padding.fixed, padding.multiple_of) > limits.max_text_bytes)
    strategy.fail("the length is above the limit");
  return padding;
}

void truncate(std::vector<Segment>& segments, const Truncation& truncation, uint64_t added) {
  const Place place{.file = {}, .field = "truncation", .offset = {}};
  if (added > truncation.max_length)
    throw Error("the " + std::to_string(added) + " added tokens alone are more than max_length", place);
  const uint64_t most = truncation.max_length - added;
  const auto length = [&](size_t i) { return static_cast<uint64_t>(segments[i].encoding.ids.size()); };
  const bool pair = segments.size() == 2;
  const uint64_t total = length(0) + (pair ? length(1) : 0);
  if (total <= most) return;
  if (truncation.strategy == Truncation::Strategy::longest_first) {
    if (!pair) return keep(segments[0], most, truncation.left);
    uint64_t shorter = length(0), longer = length(1);
    const bool swapped = shorter > longer;
    if (swapped) std::swap(shorter, longer);
    longer = shorter > most ? shorter : std::max(shorter, most - shorter);
    if (shorter + longer > most) {
      shorter = most / 2;
      longer = shorter + most % 2;
    }
    keep(segments[0], swapped ? longer : shorter, truncation.left);
    return keep(segments[1], swapped ? shorter : longer, truncation.left);
  }
  const size_t target = truncation.strategy == Truncation::Strategy::only_first ? 0 : 1;
  if (target >= segments.size()) throw Error("only the second text may be cut, and there is none", place);
  const uint64_t excess = total - most;
  if (length(target) <= excess) throw Error("the text that may be cut is too short to make the whole fit", place);
  keep(segments[target], length(target) - excess, truncation.left);
}

void pad(Encoding& encoding, const Padding& padding) {
  uint64_t length = std::max<uint64_t>(padding.fixed, padding.fixed == 0 ? encoding.ids.size() : 0);
  if (padding.multiple_of > 0) length = (length + padding.multiple_of - 1) / padding.multiple_of * padding.multiple_of;
  if (length <= encoding.ids.size()) return;
  fill(encoding.ids, length, padding.id, padding.left);
  fill(encoding.offsets, length, {0, 0}, padding.left);
  fill(encoding.type_ids, length, padding.type_id, padding.left);
}

}  // namespace braid::text
