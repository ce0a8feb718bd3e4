#pragma once
// The decoder of Gemma 2 and 3: a norm before and after each block, layers with and without a sliding window.

#include <string>
#include <vector>

#include "models/blocks/decoder.h"

namespace braid {

/// In each layer: x += norm(attention(norm(x))); x += norm(mlp(norm(x))). Norms of 1 + weight.
struct GemmaLike {
  /// The keys that both have.
  explicit GemmaLike(const Config& c);

  SelfAttention attention;  ///< of every layer, but for `rotary` and the window
  Mlp mlp;
  Norm norm;
  RopeConfig rope, sliding_rope;  ///< of layers without and with a window
  int64_t layers, vocabulary, max_positions;
  bool tied;
  std::vector<int64_t> windows = {};  ///< per layer, 0: none
  double logit_cap = 0;               ///< soft cap of the logits; 0: none
};
Decoder gemma_like(std::string name, const GemmaLike& c);

}  // namespace braid
