#include "text/template/text.h"

#include <algorithm>

namespace braid::jinja {

void Text::append(const Text& other, size_t begin, size_t end) {
  if (begin >= end) return;
  const auto after = [](size_t at, const Run& run) { return at < run.end; };
  auto run = std::upper_bound(other.runs_.begin(), other.runs_.end(), begin, after);
  for (; begin < end; ++run) {
    const size_t stop = std::min<size_t>(run->end, end);
    append(std::string_view(other.bytes_).substr(begin, stop - begin), run->origin);
    begin = stop;
  }
}

}  // namespace braid::jinja
