#pragma once
// What shapes the choice of a token. Names and meanings are those of transformers' GenerationConfig, but for
// frequency_penalty and presence_penalty (the OpenAI API's).

#include <cstdint>
#include <utility>
#include <vector>

namespace braid {

/// A sequence of tokens and what is added to the logit of its last one where the others have been written.
struct SequenceBias {
  std::vector<int32_t> tokens;
  double bias = 0;
};

struct SamplingOptions {
  double temperature = 0;     ///< ≥ 0; 0 is greedy: the largest logit, filters have no effect
  double top_h = 0;           ///< (0, 1]: tokens in order until they have this share of the entropy; 0: all
  int64_t top_k = 0;          ///< only the k largest; 0: all
  double top_p = 1;           ///< [0, 1]: the smallest set of the largest with this much probability, at least one
  double min_p = 0;           ///< [0, 1]: only those at least min_p times as probable as the largest
  double typical_p = 1;       ///< (0, 1]: those whose information is nearest the entropy, with this much probability
  double epsilon_cutoff = 0;  ///< [0, 1): only those at least this probable
  double eta_cutoff = 0;      ///< [0, 1): the same, lower where the entropy is high
  uint64_t seed = 0;

  std::vector<SequenceBias> sequence_bias = {};
  double encoder_repetition_penalty = 1;  ///< > 0; above 1: tokens of the source become likelier
  double repetition_penalty = 1;     ///< > 0; logits of tokens seen before are divided by it (multiplied when negative)
  double frequency_penalty = 0;      ///< taken off a logit for each time that its token was generated
  double presence_penalty = 0;       ///< taken off once where it was generated at all
  int64_t no_repeat_ngram_size = 0;  ///< no n tokens in a row occur twice; 0: they may
  int64_t encoder_no_repeat_ngram_size = 0;          ///< nor any n tokens of the source
  std::vector<std::vector<int32_t>> bad_words = {};  ///< sequences of tokens that are never written
  int64_t min_length = 0;                            ///< no end before there are so many tokens, prompt included
  int64_t min_new_tokens = 0;                        ///< no end before so many were generated
  int64_t forced_bos = -1;                           ///< the token after a prompt of one token; -1: none
  std::vector<int32_t> forced_eos = {};              ///< what the last token that max_tokens allows must be
  /// {after so many generated tokens, factor}: the end's logit grows by |logit| · (factor^n − 1); factor 1: none.
  std::pair<int64_t, double> exponential_decay_length_penalty = {0, 1};
  std::vector<int32_t> suppress = {};        ///< tokens that are never generated
  std::vector<int32_t> begin_suppress = {};  ///< tokens that are not generated first
  std::vector<int32_t> ends = {};            ///< end-of-sequence tokens, which min_length and others hold back

  /// Throws UsageError naming the field that is not a number or out of its range.
  void check() const;
};

}  // namespace braid
