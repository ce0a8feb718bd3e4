#pragma once
// Fusion is data: a rule has a name, a pattern with its guard, and what it builds. One file each in rewrite/rules/.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "rewrite/rewriter.h"

namespace braid {

struct RuleContext {
  const Graph& graph;
  std::vector<uint32_t> uses;  ///< per node, of all its results
  int64_t max_tokens;          ///< of the size class: guards see it
};

enum class Stage : uint8_t {
  composite,  ///< before the precision pass
  core,       ///< after the precision pass and the claims
};

struct Rule {
  std::string_view name;     ///< for --no-rule
  std::string_view summary;  ///< one line: what it saves
  Stage stage;
  /// The nodes to replace when the pattern is rooted at `root` and its guard holds; empty otherwise. Nodes that another
  /// match of this rule has taken are marked in `taken`.
  std::vector<uint32_t> (*match)(const RuleContext& context, uint32_t root, const std::vector<bool>& taken);
  /// Replaces the matched nodes (convex: checked before).
  void (*build)(Rewriter& rewriter, const std::vector<uint32_t>& nodes);
};

/// All rules, in the order in which they run (rewrite/rules/list.inc).
std::span<const Rule* const> rules();
/// Applies one rule everywhere. Returns how often it matched through `count`.
Graph apply(const Rule& rule, const Graph& graph, int64_t max_tokens, int* count = nullptr);

/// Whether a node computes each element of its one result from the same element of its operands (broadcast apart), in
/// f32: what a tile program can hold.
bool is_tile_op(const Graph& graph, const Node& node);

}  // namespace braid
