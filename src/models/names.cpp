#include "models/names.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace braid {
namespace {

constexpr size_t kCompared = 20'000;  // a hostile file of a million names is refused in time

/// Levenshtein's distance.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string> near_names(std::string_view wanted, std::span<const std::string> known) {
  std::vector<std::pair<size_t, const std::string*>> found;
  for (const std::string& name : known.first(std::min(known.size(), kCompared))) {
    // The lengths' difference bounds the distance from below: hostile names of megabytes are not compared.
    const size_t least = std::max(name.size(), wanted.size()) - std::min(name.size(), wanted.size());
    if (2 * least >= wanted.size()) continue;
    if (const size_t d = distance(wanted, name); 2 * d < wanted.size()) found.emplace_back(d, &name);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min<size_t>(found.size(), 3); ++i) names.push_back(*found[i].second);
  return names;
}

bool matches(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  for (size_t skipped = star; skipped <= name.size(); ++skipped)
    if (matches(pattern.substr(star + 1), name.substr(skipped))) return true;
  return false;
}

std::string join(std::span<const std::string> names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

}  // namespace braid
