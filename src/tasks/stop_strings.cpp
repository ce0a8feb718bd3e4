#include "tasks/stop_strings.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace braid {
namespace {

/// The length of the longest end of `text` that `stop` begins with.
size_t beginning_at_end(std::string_view text, std::string_view stop) {
  for (size_t n = std::min(text.size(), stop.size() - 1); n > 0; --n)
    if (text.ends_with(stop.substr(0, n))) return n;
  return 0;
}

}  // namespace

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
  if (std::ranges::find(stops_, "") != stops_.end())
    throw UsageError("a stop string is empty", {.file = {}, .field = "stop", .offset = {}}, "leave it out");
}

std::string StopStrings::push(std::string_view text) {
  if (stopped_) return {};
  held_ += text;
  size_t begin = 0, end = std::string::npos, hold = 0;
  for (const std::string& stop : stops_) {
    hold = std::max(hold, beginning_at_end(held_, stop));
    const size_t at = held_.find(stop);
    if (at == std::string::npos || at + stop.size() > end || (at + stop.size() == end && at >= begin)) continue;
    begin = at;
    end = at + stop.size();
  }
  stopped_ = end != std::string::npos;
  if (stopped_) found_ = held_.substr(begin, end - begin);
  const size_t shown = stopped_ ? begin : held_.size() - hold;
  std::string out = held_.substr(0, shown);
  held_.erase(0, shown);
  return out;
}

std::string StopStrings::flush() { return stopped_ ? std::string() : std::exchange(held_, {}); }

}  // namespace braid
