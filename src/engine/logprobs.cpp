#include "engine/logprobs.h"

#include <algorithm>
#include <cmath>

namespace braid {

namespace {

/// Apart, so that a log-probability near 0 keeps its digits next to large logits.
struct Total {
  double top, log_sum;  // log Σ exp(logits) = top + log_sum
};
Total total_of(std::span<const float> logits) {
  const double top = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - top);
  return {top, std::log(sum)};
}

}  // namespace

double log_sum_exp(std::span<const float> logits) {
  const auto [top, log_sum] = total_of(logits);
  return top + log_sum;
}

TokenLogprob token_logprob(std::span<const float> logits, int32_t token, int64_t top) {
  const Total total = total_of(logits);
  const auto logprob = [&](int32_t id) { return logits[static_cast<size_t>(id)] - total.top - total.log_sum; };
  TokenLogprob out{.token = token, .logprob = logprob(token)};
  std::vector<int32_t> best;  // a heap whose front is the least of them
  const auto ranks_before = [&](int32_t a, int32_t b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  for (size_t i = 0; i < logits.size() && top > 0; ++i) {
    const auto id = static_cast<int32_t>(i);
    if (static_cast<int64_t>(best.size()) == top) {
      if (!ranks_before(id, best.front())) continue;
      std::ranges::pop_heap(best, ranks_before);
      best.pop_back();
    }
    best.push_back(id);
    std::ranges::push_heap(best, ranks_before);
  }
  std::ranges::sort(best, ranks_before);
  for (const int32_t id : best) out.top.push_back({id, logprob(id)});
  return out;
}

}  // namespace braid
