#pragma once
// Relative position biases (T5, arXiv:1910.10683): what a score gains depends on the distance of key and query.

#include <vector>

#include "models/scope.h"

namespace braid {

struct RelativeBuckets {
  int64_t buckets;       ///< rows of the table
  int64_t max_distance;  ///< distances from here on share a bucket
  bool bidirectional;    ///< keys after the query have half of the buckets; else they share that of distance 0
};
/// The bucket of each distance -reach … reach; reach is max_distance. Near distances have a bucket each, farther ones
/// share them on a logarithmic scale.
std::vector<int32_t> relative_buckets(const RelativeBuckets& c);
/// SCOPE.weight (buckets, heads), laid out by distance at load → (heads, 2 · max_distance + 1), as Attend::relative
/// takes it.
Value relative_bias(const Scope& s, const RelativeBuckets& c, int64_t heads);

}  // namespace braid
