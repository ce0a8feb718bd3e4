#pragma once
// Llama's decoder, and the choices by which its kin differ from it: data for what a config says, a function for how the
// blocks of a layer are composed. A family with another frame (learned positions, a norm on the embeddings) writes its
// body itself, with the same blocks.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/blocks/decoder.h"

namespace braid {

struct LlamaLike;
/// What a layer is made with.
struct LayerParts {
  const LlamaLike& c;
  const Step& t;
  SelfAttention attention;  ///< with this layer's window and rotary positions
  int64_t index;
};
/// x (tokens, width) → (tokens, width).
using LayerKind = Value (*)(const Scope& s, const LayerParts& parts, Value x);

/// x += attention(norm(x)); x += mlp(norm(x)) (Llama).
Value pre_norm_layer(const Scope& s, const LayerParts& parts, Value x);
/// x += norm(attention(x)); x += norm(mlp(x)) (OLMo 2, EXAONE 4).
Value post_norm_layer(const Scope& s, const LayerParts& parts, Value x);
/// x += norm(attention(norm(x))); x += norm(mlp(norm(x))) (Gemma 2).
Value sandwich_layer(const Scope& s, const LayerParts& parts, Value x);
/// x += attention(norm(x)) + mlp(norm(x)), of one norm (Phi, Command R).
Value parallel_layer(const Scope& s, const LayerParts& parts, Value x);

struct LlamaLike {
  /// The keys that all of them have, as Llama names them; RMSNorm with `rms_norm_eps`, no biases, full attention.
  explicit LlamaLike(const Config& c, double rope_theta = 10000);

  SelfAttention attention;  ///< of every layer, but for `rotary` and the window
  Mlp mlp;
  Value (*feed_forward)(const Scope& m, Value x, const Mlp& how) = gated_mlp;
  /// In place of `feed_forward`, where layers differ or do not call it "mlp" (mixtures of experts).
  std::function<Value(const Scope& layer, int64_t index, Value x)> mixture = {};
  LayerKind layer = pre_norm_layer;
  Norm norm;
  std::string_view last_norm = "norm";
  RopeConfig rope;
  std::optional<RopeConfig> sliding_rope = {};  ///< of layers with a window, where it is another
  Pairs pairs = Pairs::halves;
  int64_t layers, vocabulary, max_positions;
  bool tied;
  std::vector<int64_t> windows = {};  ///< per layer, 0: none; empty: as attention.how.window
  std::vector<bool> rotated = {};     ///< whether a layer has positions; empty: all have
  double embedding_scale = 1;         ///< of what enters the first layer
  double residual_scale = 1;          ///< of what each block of a pre-norm layer adds
};
/// NAMEForCausalLM and its sisters.
Decoder llama_like(std::string name, const LlamaLike& c);

}  // namespace braid
