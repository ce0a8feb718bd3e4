#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"

namespace braid {
namespace {

[[noreturn]] void refuse(const char* field, const std::string& value, const char* range) {
  throw UsageError(std::string(field) + " " + value + " is out of range", {.file = {}, .field = field, .offset = {}},
                   std::string("give ") + range);
}

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

void SamplingOptions::check() const {
  const auto outside = [](double x, double least, double most) { return !(x >= least && x <= most); };  // NaN too
  if (outside(temperature, 0, 1e6)) refuse("temperature", std::to_string(temperature), "a number from 0 on");
  if (top_k < 0) refuse("top_k", std::to_string(top_k), "a number from 0 on");
  if (outside(top_p, 0, 1)) refuse("top_p", std::to_string(top_p), "a number between 0 and 1");
  if (outside(min_p, 0, 1)) refuse("min_p", std::to_string(min_p), "a number between 0 and 1");
  if (outside(repetition_penalty, 1e-6, 1e6))
    refuse("repetition_penalty", std::to_string(repetition_penalty), "a number above 0, such as 1.1");
}

Sampler::Sampler(SamplingOptions options) : options_(std::move(options)) { options_.check(); }

std::span<const float> Sampler::adjusted(std::span<const float> logits, std::span<const int32_t> seen) {
  if (options_.repetition_penalty == 1 && options_.suppress.empty()) return logits;
  logits_.assign(logits.begin(), logits.end());
  const auto in_range = [&](int32_t id) { return id >= 0 && static_cast<size_t>(id) < logits.size(); };
  if (options_.repetition_penalty != 1) {
    const auto penalty = static_cast<float>(options_.repetition_penalty);
    for (const int32_t id : seen)  // from the original logit: a token that occurs twice is penalised once
      if (in_range(id)) logits_[id] = logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty;
  }
  for (const int32_t id : options_.suppress)
    if (in_range(id)) logits_[id] = -INFINITY;
  return logits_;
}

int32_t Sampler::sample(std::span<const float> logits, std::span<const int32_t> seen, uint64_t index) {
  logits = adjusted(logits, seen);
  const size_t best = largest(logits);
  if (options_.temperature == 0) return static_cast<int32_t>(best);

  const double top = logits[best] / options_.temperature;
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i)
    if (std::isfinite(logits[i])) candidates_.push_back({logits[i] / options_.temperature, static_cast<int32_t>(i)});
  const auto ranks_before = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };

  std::span<Candidate> kept = candidates_;
  if (options_.top_k > 0 && static_cast<size_t>(options_.top_k) < kept.size()) {
    std::ranges::nth_element(kept, kept.begin() + options_.top_k, ranks_before);
    kept = kept.first(static_cast<size_t>(options_.top_k));
  }
  if (options_.top_p < 1) {  // from a heap: few of a large vocabulary are taken
    double total = 0, sum = 0;
    for (const Candidate& c : kept) total += std::exp(c.logit - top);
    const auto ranks_after = [&](const Candidate& a, const Candidate& b) { return ranks_before(b, a); };
    std::ranges::make_heap(kept, ranks_after);
    size_t rest = kept.size();
    do {
      std::ranges::pop_heap(kept.first(rest--), ranks_after);
      sum += std::exp(kept[rest].logit - top);
    } while (rest > 0 && sum < options_.top_p * total);
    kept = kept.subspan(rest);
  }
  if (options_.min_p > 0) {
    const auto unlikely = [&](const Candidate& c) { return std::exp(c.logit - top) < options_.min_p; };
    kept = kept.first(kept.size() - std::ranges::remove_if(kept, unlikely).size());
  }
  if (kept.size() < candidates_.size())  // libraries differ in the order that they leave
    std::ranges::sort(kept, {}, &Candidate::id);
  return draw(kept, top, index);
}

int32_t Sampler::draw(std::span<const Candidate> candidates, double largest, uint64_t index) const {
  double total = 0;
  for (const Candidate& c : candidates) total += std::exp(c.logit - largest);
  double left = uniform(options_.seed, index) * total;
  for (const Candidate& c : candidates) {
    left -= std::exp(c.logit - largest);
    if (left < 0) return c.id;
  }
  return candidates.back().id;  // rounding used up the last bit
}

}  // namespace braid
