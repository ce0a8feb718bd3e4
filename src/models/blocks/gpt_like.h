#pragma once
// GPT-2's frame: learned positions, x += attention(ln_1(x)); x += mlp(ln_2(x)), a last norm.

#include <functional>
#include <string>

#include "models/blocks/decoder.h"

namespace braid {

struct GptLike {
  int64_t width, layers, vocabulary;
  int64_t positions;  ///< rows of the table
  Norm norm;
  /// What a layer's blocks make of x (tokens, width), which is normed; `s` is the layer's scope.
  std::function<Value(const Scope& s, const Step& t, int64_t index, Value x)> attention;
  std::function<Value(const Scope& s, Value x)> mlp;
};
/// transformer.{wte, wpe, h.N.{ln_1, ln_2}, ln_f}; NAMEForCausalLM and its sisters. Old files carry causal masks.
Decoder gpt_like(std::string name, const Config& config, const GptLike& c);

}  // namespace braid
