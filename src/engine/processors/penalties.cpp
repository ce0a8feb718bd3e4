// Tokens that were seen become less likely, or, those of a source, likelier.

#include <algorithm>

#include "engine/processors/processors.h"

namespace braid {
namespace {

/// The distinct tokens that the row has a logit for, in ascending order.
std::vector<int32_t> distinct(std::span<const int32_t> tokens, size_t vocabulary) {
  std::vector<int32_t> ids(tokens.begin(), tokens.end());
  std::erase_if(ids, [&](int32_t id) { return id < 0 || static_cast<size_t>(id) >= vocabulary; });
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  return ids;
}

/// Keskar et al. 2019 (CTRL): positive logits are divided, negative ones multiplied, once for each token.
void penalise(std::span<const int32_t> tokens, double by, std::span<float> logits) {
  const auto penalty = static_cast<float>(by);
  for (const int32_t id : distinct(tokens, logits.size())) {
    float& logit = logits[static_cast<size_t>(id)];
    logit = logit < 0 ? logit * penalty : logit / penalty;
  }
}

void penalise_counts(const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
  const auto frequency = static_cast<float>(o.frequency_penalty), presence = static_cast<float>(o.presence_penalty);
  for (const int32_t id : history.generated())
    if (id >= 0 && static_cast<size_t>(id) < logits.size()) logits[static_cast<size_t>(id)] -= frequency;
  for (const int32_t id : distinct(history.generated(), logits.size())) logits[static_cast<size_t>(id)] -= presence;
}

}  // namespace

const Processor processors::encoder_repetition_penalty{
    "encoder_repetition_penalty", [](const SamplingOptions& o) { return o.encoder_repetition_penalty != 1; },
    [](const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
      penalise(history.source, 1 / o.encoder_repetition_penalty, logits);
    }};

const Processor processors::repetition_penalty{
    "repetition_penalty", [](const SamplingOptions& o) { return o.repetition_penalty != 1; },
    [](const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
      penalise(history.tokens, o.repetition_penalty, logits);
    }};

const Processor processors::frequency_penalty{
    "frequency_penalty", [](const SamplingOptions& o) { return o.frequency_penalty != 0 || o.presence_penalty != 0; },
    penalise_counts};

}  // namespace braid
