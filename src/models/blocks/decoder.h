#pragma once
// What all decoders share: the row of layers, and what their last hidden states become.

#include <functional>
#include <string>
#include <vector>

#include "models/family.h"

namespace braid {

/// layer(scope, index, x) → x, `count` times; what enters each is kept in `hidden`.
using Layer = std::function<Value(const Scope& s, int64_t index, Value x)>;
Value run_layers(const Scope& layers, int64_t count, Value x, HiddenStates& hidden, const Layer& layer);

/// A decoder and its classes, of which a config names one:
///   NAMEModel                      forward: last_hidden_state (tokens, width)
///   NAMEForCausalLM                decode: logits (rows, vocabulary)
///   NAMEForSequenceClassification  forward: logits (sequences, labels) of each sequence's last token
///   NAMEForTokenClassification     forward: logits (tokens, labels)
/// The features of each are what NAMEModel gives.
struct Decoder {
  std::string name;             ///< "Llama"
  std::string causal = {};      ///< class with the language model's head, where its name is another: "GPT2LMHeadModel"
  std::string model = "model";  ///< scope of all that is not a head
  std::string embeddings = "embed_tokens";  ///< in that scope: the head's weight when it is tied
  std::string head = "lm_head";             ///< scope of the head's weight when it is not
  bool head_bias = false;
  bool generates = true;  ///< false: tokens see those after them, so the class with that head is refused
  bool tied = false;
  int64_t vocabulary = 0, max_positions = 0, default_context = 0;  ///< as in Model
  /// From token ids to the last hidden states, after the final norm (tokens, width).
  std::function<Value(const Scope& model, const Step& t, HiddenStates& hidden)> body;
  double logit_scale = 1;
  double logit_cap = 0;  ///< soft cap of the logits; 0: none
  std::vector<Rename> renames = {};
  std::vector<std::string> stale = {};
};
/// Throws Error naming the architecture when it is none of the classes.
Blueprint decoder_family(const Config& config, Decoder how);

}  // namespace braid
