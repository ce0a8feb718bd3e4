#pragma once
// The heads of encoders: one graph per task, chosen by the class that the config names (BertModel, BertForMaskedLM …).

#include <functional>
#include <string>

#include "models/scope.h"
#include "models/step.h"

namespace braid {

struct Blueprint;

/// What is an encoder's own in its heads. `root` is the whole model's scope, `base` the encoder's.
struct EncoderParts {
  std::string name;  ///< of the classes: "Bert"
  std::string base;  ///< scope of the encoder: "bert"; files of NameModel lack it
  int64_t vocabulary, max_positions;
  int64_t labels;  ///< of the classifiers
  /// The encoder itself, with its outputs hidden.N → (tokens, width).
  std::function<Value(const Scope& base, const Step& t)> encode;
  /// The masked-LM head: x (rows, width) → logits (rows, vocabulary).
  std::function<Value(const Scope& root, Value x)> predict = {};
  /// BASE.POOLER, through which the first token goes to become pooler_output (sequences, width) of NameModel, where the
  /// file has it; empty: none has.
  std::string pooler = {};
  /// What the sequence classifier's last product reads: x (tokens, width) → (sequences, width). Absent: what the pooler
  /// gives; without one there is no such head.
  std::function<Value(const Scope& root, const Step& t, Value x)> summarise = {};
  /// What the last products of token classifier and span head read; absent: the encoder's x itself.
  std::function<Value(const Scope& root, Value x)> refine = {};
  std::string sequence_classifier = "classifier", token_classifier = "classifier", span_head = "qa_outputs";
};

/// Architectures, entry "forward" and the rename of files without the base's prefix; the family adds its own renames
/// and stale tensors. Heads: NameModel (last_hidden_state, pooler_output), NameForMaskedLM,
/// NameForSequenceClassification, NameForTokenClassification (logits), NameForQuestionAnswering (start_logits,
/// end_logits); those whose parts are absent are not known.
Blueprint encoder_blueprint(const Config& config, EncoderParts parts);

/// tanh(SCOPE.NAME(first token of each sequence)): BERT's pooler → (sequences, width).
Value first_token_pool(const Scope& s, std::string_view name, const Step& t, Value x);
/// LayerNorm(activation(SCOPE.DENSE(x))), to `width`: what masked-LM heads do before the table.
struct Transform {
  std::string_view dense, norm, activation;
  int64_t width;
  double epsilon;
};
Value transform(const Scope& s, Value x, const Transform& how);
/// x (rows, width) · TABLE.weight (vocabulary, width)ᵀ + BIAS.bias → (rows, vocabulary).
Value vocabulary_logits(const Scope& table, const Scope& bias, Value x, int64_t vocabulary);

}  // namespace braid
