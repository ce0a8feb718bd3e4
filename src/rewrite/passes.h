#pragma once
// The passes that are not rules, and the order of all of them.

#include <functional>

#include "ir/graph.h"
#include "rewrite/options.h"

namespace braid {

/// What a device multiplies natively: the precision pass asks nothing else of it.
struct DevicePrecision {
  bool bf16_products = false;                 ///< bf16 × bf16 → f32 faster than f32 × bf16
  bool int8_products = false;                 ///< q8_act × integer classes
  Layout integer_layout = Layout::row_major;  ///< how it wants weights of an integer class that meet q8_act
};

/// The one place that decides formats: converts weights of products, and inserts `cast` and `quantize` nodes for their
/// other operand, which everyone can see. A table that is both looked up and multiplied (a tied embedding) is converted
/// once.
Graph set_precision(const Graph& graph, const RewriteOptions& options, const DevicePrecision& device);

/// Replaces composites (and `fused`) that `claimed` does not take by their expansions, until none is left.
Graph expand_unclaimed(const Graph& graph, const std::function<bool(const Graph&, const Node&)>& claimed);

/// Cuts off what depends on parameters and constants alone: each such value becomes a `parameter` with a load graph,
/// named by its expression.
Graph split_load_graph(const Graph& graph);

struct PipelineOptions {
  RewriteOptions rewrite;
  DevicePrecision device;
  int64_t max_tokens = 0;  ///< of the size class
  std::function<bool(const Graph&, const Node&)> claimed;
};
/// Composite rules → precision → claims → load-graph split → core rules → claims.
Graph run_passes(const Graph& graph, const PipelineOptions& options);

}  // namespace braid
