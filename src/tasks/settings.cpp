#include "tasks/settings.h"

#include <algorithm>

namespace braid {
namespace {

constexpr std::optional<double> GenerationConfig::*kFilters[] = {
    &GenerationConfig::top_h,     &GenerationConfig::top_p,          &GenerationConfig::min_p,
    &GenerationConfig::typical_p, &GenerationConfig::epsilon_cutoff, &GenerationConfig::eta_cutoff};

std::vector<int32_t> ids(const std::vector<int64_t>& list) { return {list.begin(), list.end()}; }

}  // namespace

GenerationConfig settings_of(const GenerationConfig& asked, const GenerationConfig& own) {
  GenerationConfig base = own;
  if (!asked.do_sample.value_or(own.do_sample.value_or(false))) {
    for (const auto filter : kFilters) base.*filter = std::nullopt;
    base.top_k = std::nullopt;
    base.temperature = std::nullopt;
  }
  return asked.or_else(base);
}

DecodingOptions decoding_options(const GenerationConfig& s, uint64_t seed) {
  const bool filters = s.top_k || std::ranges::any_of(kFilters, [&](auto f) { return (s.*f).has_value(); });
  const bool samples = s.do_sample.value_or(filters);
  DecodingOptions out{.sequences = s.num_return_sequences.value_or(1),
                      .beams = s.num_beams.value_or(1),
                      .length_penalty = s.length_penalty.value_or(1),
                      .early_stopping = s.early_stopping.value_or(EarlyStopping::no)};
  SamplingOptions& o = out.sampling;
  o.temperature = s.temperature.value_or(samples ? 1 : 0);
  o.top_h = s.top_h.value_or(0);
  o.top_k = s.top_k.value_or(0);
  o.top_p = s.top_p.value_or(1);
  o.min_p = s.min_p.value_or(0);
  o.typical_p = s.typical_p.value_or(1);
  o.epsilon_cutoff = s.epsilon_cutoff.value_or(0);
  o.eta_cutoff = s.eta_cutoff.value_or(0);
  o.seed = seed;
  for (const auto& [tokens, bias] : s.sequence_bias) o.sequence_bias.push_back({tokens, bias});
  o.encoder_repetition_penalty = s.encoder_repetition_penalty.value_or(1);
  o.repetition_penalty = s.repetition_penalty.value_or(1);
  o.frequency_penalty = s.frequency_penalty.value_or(0);
  o.presence_penalty = s.presence_penalty.value_or(0);
  o.no_repeat_ngram_size = s.no_repeat_ngram_size.value_or(0);
  o.encoder_no_repeat_ngram_size = s.encoder_no_repeat_ngram_size.value_or(0);
  o.bad_words = s.bad_words_ids;
  o.min_length = s.min_length.value_or(0);
  o.min_new_tokens = s.min_new_tokens.value_or(0);
  o.forced_bos = s.forced_bos_token_id.value_or(-1);
  o.forced_eos = ids(s.forced_eos_token_ids);
  if (s.exponential_decay_length_penalty) o.exponential_decay_length_penalty = *s.exponential_decay_length_penalty;
  o.suppress = ids(s.suppress_tokens);
  o.begin_suppress = ids(s.begin_suppress_tokens);
  o.ends = ids(s.eos_token_ids);
  return out;
}

std::optional<int64_t> new_tokens(const GenerationConfig& settings, int64_t prompt_tokens) {
  if (settings.max_new_tokens) return settings.max_new_tokens;
  if (settings.max_length) return *settings.max_length - prompt_tokens;
  return std::nullopt;
}

int64_t width_of(const GenerationConfig& settings) {
  return std::max(settings.num_beams.value_or(1), settings.num_return_sequences.value_or(1));
}

}  // namespace braid
