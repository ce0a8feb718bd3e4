#pragma once
// Names that are nearly right, and patterns of names.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace braid {

/// The known names nearest to `wanted` by edit distance, nearest first, at most three; none that shares less than half.
std::vector<std::string> near_names(std::string_view wanted, std::span<const std::string> known);
/// Whether `pattern`, in which * stands for any characters, matches all of `name`.
bool matches(std::string_view pattern, std::string_view name);
/// "a, b and c".
std::string join(std::span<const std::string> names);

}  // namespace braid
