#include "engine/sampler.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace braid {
namespace {

uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/// The first index of the largest logit. Throws Error when there is none to choose.
size_t largest(std::span<const float> logits) {
  size_t best = 0;
  bool nan = false;
  for (size_t i = 0; i < logits.size(); ++i) {
    nan |= std::isnan(logits[i]);
    if (logits[i] > logits[best]) best = i;
  }
  if (nan || logits.empty() || !std::isfinite(logits[best]))
    throw Error(nan ? "the model gave logits that are not numbers" : "the model gave no finite largest logit",
                {.file = {}, .field = "logits", .offset = {}}, "check the weights, or run with --exact");
  return best;
}

}  // namespace

double uniform(uint64_t seed, uint64_t index) {
  constexpr uint64_t kGolden = 0x9e3779b97f4a7c15ull;
  return static_cast<double>(mix(mix(seed + kGolden) + (index + 1) * kGolden) >> 11) * 0x1p-53;
}

Sampler::Sampler(SamplingOptions options) : options_(std::move(options)) { options_.check(); }

std::span<float> Sampler::processed(std::span<const float> logits, const TokenHistory& history) {
  logits_.assign(logits.begin(), logits.end());
  for (const Processor* p : all_processors())
    if (p->on(options_)) p->apply(options_, history, logits_);
  return logits_;
}

std::span<const Candidate> Sampler::candidates(std::span<const float> row, size_t least) {
  candidates_.clear();
  for (size_t i = 0; i < row.size(); ++i)
    if (std::isfinite(row[i])) candidates_.push_back({row[i], static_cast<int32_t>(i)});
  if (candidates_.empty()) return {};
  const size_t all = candidates_.size();
  for (const Warper* w : all_warpers())
    if (w->on(options_)) w->apply(options_, least, candidates_);
  if (candidates_.size() < all)  // libraries differ in the order that they leave
    std::ranges::sort(candidates_, {}, &Candidate::id);
  return candidates_;
}

int32_t Sampler::sample(std::span<const float> logits, const TokenHistory& history, uint64_t index) {
  const std::span<const float> row = processed(logits, history);
  const size_t best = largest(row);
  if (greedy()) return static_cast<int32_t>(best);

  const std::span<const Candidate> from = candidates(row);
  const double top = std::ranges::max_element(from, {}, &Candidate::logit)->logit;
  double total = 0;
  for (const Candidate& c : from) total += std::exp(c.logit - top);
  double left = uniform(options_.seed, index) * total;
  for (const Candidate& c : from) {
    left -= std::exp(c.logit - top);
    if (left < 0) return c.id;
  }
  return from.back().id;  // rounding used up the last bit
}

}  // namespace braid
