#include "engine/processors/processors.h"

namespace braid {

std::span<const Processor* const> all_processors() {
  using namespace processors;
  static constexpr const Processor* kInOrder[] = {
      &sequence_bias,        &encoder_repetition_penalty,   &repetition_penalty,  &frequency_penalty,
      &no_repeat_ngram_size, &encoder_no_repeat_ngram_size, &bad_words_ids,       &min_length,
      &min_new_tokens,       &forced_bos_token_id,          &forced_eos_token_id, &exponential_decay_length_penalty,
      &suppress_tokens,      &begin_suppress_tokens};
  return kInOrder;
}

std::span<const Warper* const> all_warpers() {
  using namespace warpers;
  static constexpr const Warper* kInOrder[] = {&temperature, &top_h,     &top_k,          &top_p,
                                               &min_p,       &typical_p, &epsilon_cutoff, &eta_cutoff};
  return kInOrder;
}

}  // namespace braid
