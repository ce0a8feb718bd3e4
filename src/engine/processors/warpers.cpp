// The distribution that a token is drawn from. Candidates with equal logits rank by the lower id.

#include <algorithm>
#include <cmath>

#include "engine/processors/processors.h"

namespace braid {
namespace {

using Candidates = std::vector<Candidate>;

bool ranks_before(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

double largest(const Candidates& c) {
  return std::ranges::max_element(c, {}, &Candidate::logit)->logit;  // a row has at least one
}

/// log Σ exp(logit).
double log_total(const Candidates& c) {
  const double top = largest(c);
  double total = 0;
  for (const Candidate& x : c) total += std::exp(x.logit - top);
  return top + std::log(total);
}

/// −Σ p log p.
double entropy(std::span<const Candidate> c, double log_total) {
  double sum = 0;
  for (const Candidate& x : c) sum -= std::exp(x.logit - log_total) * (x.logit - log_total);
  return sum;
}

/// The k-th largest logit.
double kth_logit(Candidates& c, size_t k) {
  const auto at = c.begin() + static_cast<std::ptrdiff_t>(std::min(k, c.size()) - 1);
  std::ranges::nth_element(c, at, ranks_before);
  return at->logit;
}

/// Keeps those that are at least this probable, and the `least` largest.
void keep_probable(Candidates& c, double probability, size_t least) {
  const double lowest = log_total(c) + std::log(probability), kept = kth_logit(c, least);
  std::erase_if(c, [&](const Candidate& x) { return x.logit < lowest && x.logit < kept; });
}

void apply_temperature(const SamplingOptions& o, size_t, Candidates& c) {
  for (Candidate& x : c) x.logit /= o.temperature;
}

/// Top-H (arXiv:2509.02510): of the 100 largest, in order, as many as keep the sum of −p log p below its share.
void apply_top_h(const SamplingOptions& o, size_t, Candidates& c) {
  constexpr size_t kMost = 100;
  const size_t count = std::min(kMost, c.size());
  std::ranges::partial_sort(c, c.begin() + static_cast<std::ptrdiff_t>(count), ranks_before);
  c.resize(count);
  const double total = log_total(c), most = o.top_h * entropy(c, total);
  size_t kept = 0;
  double sum = 0;
  for (; kept < count; ++kept) {
    sum += entropy(std::span(c).subspan(kept, 1), total);
    if (kept > 0 && sum > most) break;
  }
  c.resize(kept);
}

void apply_top_k(const SamplingOptions& o, size_t least, Candidates& c) {
  const size_t k = std::max(static_cast<size_t>(o.top_k), least);
  if (k >= c.size()) return;
  std::ranges::nth_element(c, c.begin() + static_cast<std::ptrdiff_t>(k), ranks_before);
  c.resize(k);
}

/// From a heap: few of a large vocabulary are taken.
void apply_top_p(const SamplingOptions& o, size_t least, Candidates& c) {
  const double total = log_total(c);
  const auto ranks_after = [](const Candidate& a, const Candidate& b) { return ranks_before(b, a); };
  std::ranges::make_heap(c, ranks_after);
  size_t rest = c.size();
  double sum = 0;
  do {
    std::ranges::pop_heap(std::span(c).first(rest--), ranks_after);
    sum += std::exp(c[rest].logit - total);
  } while (rest > 0 && (sum < o.top_p || c.size() - rest < least));
  c.erase(c.begin(), c.begin() + static_cast<std::ptrdiff_t>(rest));
}

void apply_min_p(const SamplingOptions& o, size_t least, Candidates& c) {
  keep_probable(c, o.min_p * std::exp(largest(c) - log_total(c)), least);
}

/// Locally typical sampling (arXiv:2202.00666): in the order of how far their information lies from the entropy.
void apply_typical_p(const SamplingOptions& o, size_t least, Candidates& c) {
  const double total = log_total(c), mean = entropy(c, total);
  const auto distance = [&](const Candidate& x) { return std::abs(total - x.logit - mean); };
  std::ranges::sort(c, [&](const Candidate& a, const Candidate& b) {
    const double x = distance(a), y = distance(b);
    return x != y ? x < y : a.id < b.id;
  });
  size_t kept = 0;
  for (double sum = 0; kept < c.size(); ++kept) {
    sum += std::exp(c[kept].logit - total);
    if (sum >= o.typical_p) break;
  }
  const double farthest = distance(c[std::min(kept, c.size() - 1)]);
  while (kept < c.size() && (kept < least || distance(c[kept]) <= farthest)) ++kept;
  c.resize(kept);
}

void apply_epsilon(const SamplingOptions& o, size_t least, Candidates& c) { keep_probable(c, o.epsilon_cutoff, least); }

/// Eta sampling (arXiv:2210.15191).
void apply_eta(const SamplingOptions& o, size_t least, Candidates& c) {
  const double fading = std::sqrt(o.eta_cutoff) * std::exp(-entropy(c, log_total(c)));
  keep_probable(c, std::min(o.eta_cutoff, fading), least);
}

}  // namespace

const Warper warpers::temperature{"temperature", [](const SamplingOptions& o) { return o.temperature != 1; },
                                  apply_temperature};
const Warper warpers::top_h{"top_h", [](const SamplingOptions& o) { return o.top_h > 0; }, apply_top_h};
const Warper warpers::top_k{"top_k", [](const SamplingOptions& o) { return o.top_k > 0; }, apply_top_k};
const Warper warpers::top_p{"top_p", [](const SamplingOptions& o) { return o.top_p < 1; }, apply_top_p};
const Warper warpers::min_p{"min_p", [](const SamplingOptions& o) { return o.min_p > 0; }, apply_min_p};
const Warper warpers::typical_p{"typical_p", [](const SamplingOptions& o) { return o.typical_p < 1; }, apply_typical_p};
const Warper warpers::epsilon_cutoff{"epsilon_cutoff", [](const SamplingOptions& o) { return o.epsilon_cutoff > 0; },
                                     apply_epsilon};
const Warper warpers::eta_cutoff{"eta_cutoff", [](const SamplingOptions& o) { return o.eta_cutoff > 0; }, apply_eta};

}  // namespace braid
