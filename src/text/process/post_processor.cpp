#include "text/process/post_processor.h"

#include <algorithm>

#include "text/base/kinds.h"
#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid::text {

#define BRAID_KIND(type, make) std::unique_ptr<PostProcessor> make(const Json& node, const Limits& limits);
#include "text/process/list.inc"
#undef BRAID_KIND

std::unique_ptr<PostProcessor> read_post_processor(const Json& node, const Limits& limits) {
  static constexpr Kind<PostProcessor> kKinds[] = {
#define BRAID_KIND(type, make) {type, make},
#include "text/process/list.inc"
#undef BRAID_KIND
  };
  return read_kind<PostProcessor>(node, limits, kKinds, "post-processor");
}

namespace {

/// A space, or the character that spells one in the byte alphabet.
bool is_blank(char32_t c) { return c == U'\u0120' || unicode::is_space(c); }

int64_t leading_blanks(std::string_view text) {
  int64_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) {
    const utf8::Character c = utf8::decode(text, at);
    if (!is_blank(c.code_point)) break;
    at += c.bytes;
  }
  return count;
}

int64_t trailing_blanks(std::string_view text) {
  int64_t count = 0;
  for (size_t end = text.size(); end > 0; ++count) {
    end = utf8::previous(text, end);
    if (!is_blank(utf8::decode(text, end).code_point)) break;
  }
  return count;
}

}  // namespace

Blanks count_blanks(std::string_view token) { return {leading_blanks(token), trailing_blanks(token)}; }

void trim_offsets(Segment& segment, bool add_prefix_space) {
  for (size_t i = 0; i < segment.blanks.size(); ++i) {
    auto& [begin, end] = segment.encoding.offsets[i];
    auto [leading, trailing] = segment.blanks[i];
    if (add_prefix_space && leading == 1 && (i == 0 || begin == 0)) leading = 0;
    if (leading > 0) begin = std::min(begin + leading, end);
    if (trailing > 0 && end >= trailing) end = std::max(end - trailing, begin);
  }
}

void push_front(Segment& segment, int32_t id, int32_t type_id) {
  Encoding& e = segment.encoding;
  e.ids.insert(e.ids.begin(), id);
  e.offsets.insert(e.offsets.begin(), {0, 0});
  e.type_ids.insert(e.type_ids.begin(), type_id);
  if (!segment.blanks.empty()) segment.blanks.insert(segment.blanks.begin(), Blanks{});
}

void push_back(Segment& segment, int32_t id, int32_t type_id) {
  Encoding& e = segment.encoding;
  e.ids.push_back(id);
  e.offsets.emplace_back(0, 0);
  e.type_ids.push_back(type_id);
  if (!segment.blanks.empty()) segment.blanks.emplace_back();
}

}  // namespace braid::text
