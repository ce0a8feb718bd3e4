#pragma once
// Decoders whose layers attend, scan (Mamba-2) or do both.

#include <functional>
#include <string>

#include "models/blocks/decoder.h"
#include "models/blocks/ssm.h"

namespace braid {

/// What they read of their configs, in the keys that they share.
struct Hybrid {
  explicit Hybrid(const Config& c);

  SelfAttention attention;  ///< of every layer that attends; biases as attention_bias says
  Norm norm;                ///< RMSNorm with rms_norm_eps
  RopeConfig rope;
  Mamba2 mamba;
  Mlp mlp;
  int64_t layers, vocabulary, max_positions;
  bool tied;
  bool rotates = true;         ///< false: queries and keys have no positions
  double embedding_scale = 1;  ///< of what enters the first layer
  std::string_view last_norm = "final_layernorm";
  /// x (tokens, width) → (tokens, width); `attention` has its rotary positions.
  std::function<Value(const Scope& s, const Step& t, const SelfAttention& attention, int64_t index, Value x)> layer;
};
/// NAMEForCausalLM and its sisters.
Decoder hybrid(std::string name, const Hybrid& c);

}  // namespace braid
