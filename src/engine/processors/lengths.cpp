// When a text may end, and what it may begin and end with.

#include <algorithm>
#include <cmath>

#include "engine/processors/processors.h"

namespace braid {
namespace {

void forbid(std::span<const int32_t> ids, std::span<float> logits) {
  for (const int32_t id : ids)
    if (id >= 0 && static_cast<size_t>(id) < logits.size()) logits[static_cast<size_t>(id)] = -INFINITY;
}

void force(std::span<const int32_t> ids, std::span<float> logits) {
  std::ranges::fill(logits, -INFINITY);
  for (const int32_t id : ids)
    if (id >= 0 && static_cast<size_t>(id) < logits.size()) logits[static_cast<size_t>(id)] = 0;
}

void draw_to_the_end(const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
  const auto [start, factor] = o.exponential_decay_length_penalty;
  const int64_t over = static_cast<int64_t>(history.generated().size()) - start;
  if (over <= 0) return;
  const auto growth = static_cast<float>(std::pow(factor, static_cast<double>(over)) - 1);
  for (const int32_t id : o.ends) {
    if (id < 0 || static_cast<size_t>(id) >= logits.size()) continue;
    float& logit = logits[static_cast<size_t>(id)];
    if (std::isfinite(logit)) logit += std::abs(logit) * growth;
  }
}

/// The first token that is the model's own: after a forced one where a prompt has but the start token.
size_t begin_of(const SamplingOptions& o, const TokenHistory& history) {
  return history.prompt + (history.prompt <= 1 && o.forced_bos >= 0 ? 1 : 0);
}

}  // namespace

const Processor processors::min_length{
    "min_length", [](const SamplingOptions& o) { return o.min_length > 0; },
    [](const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
      if (history.tokens.size() < static_cast<size_t>(o.min_length)) forbid(o.ends, logits);
    }};

const Processor processors::min_new_tokens{
    "min_new_tokens", [](const SamplingOptions& o) { return o.min_new_tokens > 0; },
    [](const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
      if (history.generated().size() < static_cast<size_t>(o.min_new_tokens)) forbid(o.ends, logits);
    }};

const Processor processors::forced_bos_token_id{
    "forced_bos_token_id", [](const SamplingOptions& o) { return o.forced_bos >= 0; },
    [](const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
      const auto id = static_cast<int32_t>(o.forced_bos);
      if (history.tokens.size() == 1) force({&id, 1}, logits);
    }};

const Processor processors::forced_eos_token_id{
    "forced_eos_token_id", [](const SamplingOptions& o) { return !o.forced_eos.empty(); },
    [](const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
      if (history.tokens.size() + 1 == history.last) force(o.forced_eos, logits);
    }};

const Processor processors::exponential_decay_length_penalty{
    "exponential_decay_length_penalty",
    [](const SamplingOptions& o) { return o.exponential_decay_length_penalty.second != 1; }, draw_to_the_end};

const Processor processors::suppress_tokens{
    "suppress_tokens", [](const SamplingOptions& o) { return !o.suppress.empty(); },
    [](const SamplingOptions& o, const TokenHistory&, std::span<float> logits) { forbid(o.suppress, logits); }};

const Processor processors::begin_suppress_tokens{
    "begin_suppress_tokens", [](const SamplingOptions& o) { return !o.begin_suppress.empty(); },
    [](const SamplingOptions& o, const TokenHistory& history, std::span<float> logits) {
      if (history.tokens.size() == begin_of(o, history)) forbid(o.begin_suppress, logits);
    }};

}  // namespace braid
