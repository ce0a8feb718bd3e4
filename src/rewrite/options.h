#pragma once
// What a user may say about rewriting: the level, exactness, single rules.

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/format.h"

namespace braid {

/// -O0 … -O3, aliases none, conservative, balanced, aggressive: named sets of rules and precision.
///   0  the graph as the family wrote it, fp32 activations;
///   1  all rules (they keep every bit or stay within fp32 rounding), fp32 activations and cache;
///   2  activations in bf16 for bf16 weights and in q8_act for integer weights too, where the device multiplies those
///      faster; cache in f16;
///   3  f32 weights are converted to bf16 at load too.
struct RewriteOptions {
  int level = 2;
  bool exact = false;                         ///< fp32 activations and cache at any level
  std::optional<Format> weights = {};         ///< convert the weights of products to this format at load
  std::set<std::string> disabled_rules = {};  ///< --no-rule NAME

  bool fast() const { return level >= 2 && !exact; }
  /// Format of cached keys and values.
  Format cache() const { return fast() ? Format::f16 : Format::f32; }
};
/// 0 … 3 from "0" … "3" or an alias; UsageError otherwise.
int level_from_name(std::string_view name);

}  // namespace braid
