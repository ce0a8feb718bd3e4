#pragma once
// T5 (arXiv:1910.10683) and its descendants: an encoder of tokens and a decoder that attends to it, with biases by
// distance for positions, RMS norms before each block, no bias in any product, and no scale in attention.

#include <functional>
#include <string>

#include "models/blocks/relative.h"
#include "models/scope.h"
#include "models/step.h"

namespace braid {

struct Blueprint;

struct T5Sizes {
  /// Throws Error naming the field that does not fit.
  explicit T5Sizes(const Config& c);

  int64_t width, heads, head_dim, inner, encoder_layers, decoder_layers, vocabulary;
  int64_t buckets, max_distance;  ///< of relative positions
  double epsilon;
  std::string activation;
  bool gated;          ///< two products into the MLP, of which one is activated (v1.1)
  bool scaled_output;  ///< the decoder's output is multiplied with width^-0.5
};

/// Where an MLP stands.
struct T5Place {
  const Step& t;
  bool decoder;
  int64_t layer;
};
/// What differs in a descendant.
struct T5Kind {
  std::string name;             ///< of the classes: "T5"
  bool bias_per_layer = false;  ///< each self-attention has biases of its own; else the first layer's serve all
  /// The MLP at s: block.N.layer.M, x: (tokens, width) → the same; absent: DenseReluDense.
  std::function<Value(const Scope& s, Value x, const T5Place& at)> mlp = {};
};

/// NAMEForConditionalGeneration ("encode", "decode") and NAMEEncoderModel ("forward").
Blueprint t5_like(const Config& config, const T5Sizes& sizes, const T5Kind& kind);
/// SCOPE.wi (or wi_0 and wi_1 when gated) and SCOPE.wo.
Value t5_dense(const Scope& s, const T5Sizes& c, Value x);

}  // namespace braid
