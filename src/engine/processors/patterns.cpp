// Sequences of tokens that are wanted, unwanted, or not to come twice.

#include <algorithm>
#include <cmath>

#include "engine/processors/processors.h"

namespace braid {
namespace {

using Tokens = std::span<const int32_t>;

void add(std::span<float> logits, int32_t id, float bias) {
  if (id >= 0 && static_cast<size_t>(id) < logits.size()) logits[static_cast<size_t>(id)] += bias;
}

bool ends_with(Tokens tokens, Tokens end) {
  return end.size() <= tokens.size() && std::ranges::equal(tokens.last(end.size()), end);
}

/// Where the last n - 1 tokens occur in `text`, the token that follows there is not written.
void forbid_ngrams(Tokens text, Tokens tokens, size_t n, std::span<float> logits) {
  if (tokens.size() + 1 < n || text.size() < n) return;
  const Tokens prefix = tokens.last(n - 1);
  for (size_t at = 0; at + n <= text.size(); ++at)
    if (std::ranges::equal(text.subspan(at, n - 1), prefix)) add(logits, text[at + n - 1], -INFINITY);
}

}  // namespace

const Processor processors::sequence_bias{
    "sequence_bias", [](const SamplingOptions& o) { return !o.sequence_bias.empty(); },
    [](const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
      for (const SequenceBias& s : o.sequence_bias)
        if (ends_with(history.tokens, Tokens(s.tokens).first(s.tokens.size() - 1)))
          add(logits, s.tokens.back(), static_cast<float>(s.bias));
    }};

const Processor processors::no_repeat_ngram_size{
    "no_repeat_ngram_size", [](const SamplingOptions& o) { return o.no_repeat_ngram_size > 0; },
    [](const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
      forbid_ngrams(history.tokens, history.tokens, static_cast<size_t>(o.no_repeat_ngram_size), logits);
    }};

const Processor processors::encoder_no_repeat_ngram_size{
    "encoder_no_repeat_ngram_size", [](const SamplingOptions& o) { return o.encoder_no_repeat_ngram_size > 0; },
    [](const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
      forbid_ngrams(history.source, history.tokens, static_cast<size_t>(o.encoder_no_repeat_ngram_size), logits);
    }};

/// A bad word that is an end-of-sequence token alone is ignored, as transformers does.
const Processor processors::bad_words_ids{
    "bad_words_ids", [](const SamplingOptions& o) { return !o.bad_words.empty(); },
    [](const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
      for (const std::vector<int32_t>& word : o.bad_words) {
        if (word.size() == 1 && std::ranges::find(o.ends, word[0]) != o.ends.end()) continue;
        if (ends_with(history.tokens, Tokens(word).first(word.size() - 1))) add(logits, word.back(), -INFINITY);
      }
    }};

}  // namespace braid
