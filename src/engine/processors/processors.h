#pragma once
// What changes a row of logits before a token is taken from it, in the order of transformers' generate: first the
// processors, which see every logit and what was written so far, then, where a token is drawn, the warpers, which
// reshape the distribution and drop its unlikely part. Each is a function of its arguments alone.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/sampling_options.h"

namespace braid {

/// What a row of logits continues.
struct TokenHistory {
  std::span<const int32_t> tokens = {};  ///< all that are known: the (decoder's) prompt, then what was generated
  size_t prompt = 0;                     ///< how many of them are the prompt
  size_t last = SIZE_MAX;                ///< it ends when it has so many tokens
  std::span<const int32_t> source = {};  ///< the encoder's tokens; the prompt where there is no encoder

  std::span<const int32_t> generated() const { return tokens.subspan(prompt); }
};

struct Processor {
  std::string_view name;  ///< as in GenerationConfig
  bool (*on)(const SamplingOptions&);
  void (*apply)(const SamplingOptions&, const TokenHistory&, std::span<float> logits);
};

struct Candidate {
  double logit;
  int32_t id;
};

struct Warper {
  std::string_view name;
  bool (*on)(const SamplingOptions&);
  /// Leaves at least `least` of the candidates (those that the row has). Their order is free before and after.
  void (*apply)(const SamplingOptions&, size_t least, std::vector<Candidate>& candidates);
};

namespace processors {
// penalties.cpp
extern const Processor encoder_repetition_penalty, repetition_penalty, frequency_penalty;
// patterns.cpp
extern const Processor sequence_bias, no_repeat_ngram_size, encoder_no_repeat_ngram_size, bad_words_ids;
// lengths.cpp
extern const Processor min_length, min_new_tokens, forced_bos_token_id, forced_eos_token_id,
    exponential_decay_length_penalty, suppress_tokens, begin_suppress_tokens;
}  // namespace processors

namespace warpers {
// warpers.cpp
extern const Warper temperature, top_h, top_k, top_p, min_p, typical_p, epsilon_cutoff, eta_cutoff;
}  // namespace warpers

/// In the order in which they are applied.
std::span<const Processor* const> all_processors();
std::span<const Warper* const> all_warpers();

}  // namespace braid
