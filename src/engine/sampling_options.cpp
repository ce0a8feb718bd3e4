#include "engine/sampling_options.h"

#include <cmath>
#include <string>

#include "core/error.h"

namespace braid {
namespace {

[[noreturn]] void refuse(const char* field, const std::string& value, const char* range) {
  throw UsageError(std::string(field) + " " + value + " is out of range", {.file = {}, .field = field, .offset = {}},
                   std::string("give ") + range);
}

struct RealBounds {
  const char* field;
  double SamplingOptions::*value;
  double least, most;  // both included
  const char* range;
};
constexpr double kTiny = 1e-6, kHuge = 1e6;
constexpr RealBounds kReals[] = {
    {"temperature", &SamplingOptions::temperature, 0, kHuge, "a number from 0 on"},
    {"top_h", &SamplingOptions::top_h, 0, 1, "a number between 0 and 1"},
    {"top_p", &SamplingOptions::top_p, 0, 1, "a number between 0 and 1"},
    {"min_p", &SamplingOptions::min_p, 0, 1, "a number between 0 and 1"},
    {"typical_p", &SamplingOptions::typical_p, kTiny, 1, "a number above 0, at most 1"},
    {"epsilon_cutoff", &SamplingOptions::epsilon_cutoff, 0, 1 - kTiny, "a number from 0 on, below 1"},
    {"eta_cutoff", &SamplingOptions::eta_cutoff, 0, 1 - kTiny, "a number from 0 on, below 1"},
    {"repetition_penalty", &SamplingOptions::repetition_penalty, kTiny, kHuge, "a number above 0, such as 1.1"},
    {"encoder_repetition_penalty", &SamplingOptions::encoder_repetition_penalty, kTiny, kHuge,
     "a number above 0, such as 1.1"},
    {"frequency_penalty", &SamplingOptions::frequency_penalty, -kHuge, kHuge, "a number, such as 0.5"},
    {"presence_penalty", &SamplingOptions::presence_penalty, -kHuge, kHuge, "a number, such as 0.5"},
};

struct CountBounds {
  const char* field;
  int64_t SamplingOptions::*value;
};
constexpr CountBounds kCounts[] = {
    {"top_k", &SamplingOptions::top_k},
    {"no_repeat_ngram_size", &SamplingOptions::no_repeat_ngram_size},
    {"encoder_no_repeat_ngram_size", &SamplingOptions::encoder_no_repeat_ngram_size},
    {"min_length", &SamplingOptions::min_length},
    {"min_new_tokens", &SamplingOptions::min_new_tokens},
};

}  // namespace

void SamplingOptions::check() const {
  for (const RealBounds& b : kReals)
    if (const double x = this->*b.value; !(x >= b.least && x <= b.most))  // NaN too
      refuse(b.field, std::to_string(x), b.range);
  for (const CountBounds& b : kCounts)
    if (const int64_t n = this->*b.value; n < 0) refuse(b.field, std::to_string(n), "a number from 0 on");
  const auto [start, factor] = exponential_decay_length_penalty;
  if (start < 0 || !(factor > 0 && factor <= kHuge))
    refuse("exponential_decay_length_penalty", std::to_string(factor), "a start from 0 on and a factor above 0");
  for (const SequenceBias& s : sequence_bias)
    if (s.tokens.empty() || std::isnan(s.bias)) refuse("sequence_bias", "of no tokens", "tokens and a number");
  for (const std::vector<int32_t>& word : bad_words)
    if (word.empty()) refuse("bad_words_ids", "of no tokens", "at least one token");
}

}  // namespace braid
