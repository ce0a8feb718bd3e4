#pragma once
// "Did you mean …?"

#include <span>
#include <string>
#include <string_view>

namespace braid::cli {

/// The candidate that is fewest edits away; empty when even that one is too unlike.
std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates);
/// "did you mean NEAREST?", or `otherwise` when none is near.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates, std::string otherwise);

}  // namespace braid::cli
