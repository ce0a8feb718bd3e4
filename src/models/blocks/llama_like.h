#pragma once
// Llama's decoder, and the small changes that its kin make to it. A family whose layers are composed otherwise (norms
// elsewhere, blocks in parallel) writes its own layer with the blocks of attention and mlp.

#include <string>
#include <vector>

#include "models/blocks/decoder.h"

namespace braid {

/// In each layer: x += attention(norm(x)); x += mlp(norm(x)).
struct LlamaLike {
  /// The keys that all of them have, as Llama names them; RMSNorm with `rms_norm_eps`, no biases, full attention.
  explicit LlamaLike(const Config& c, double rope_theta = 10000);

  SelfAttention attention;  ///< of every layer, but for `rotary` and the window
  Mlp mlp;
  Norm norm;
  RopeConfig rope;
  Pairs pairs = Pairs::halves;
  int64_t layers, vocabulary, max_positions;
  bool tied;
  std::vector<int64_t> windows = {};  ///< per layer, 0: none; empty: none at all
  std::vector<int64_t> rotated = {};  ///< per layer, 0: without positions; empty: all are rotated
  double embedding_scale = 1;         ///< of what enters the first layer
  double residual_scale = 1;          ///< of what each block adds
};
/// NAMEForCausalLM and its sisters.
Decoder llama_like(std::string name, const LlamaLike& c);

}  // namespace braid
