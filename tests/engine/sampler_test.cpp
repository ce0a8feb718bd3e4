#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>

#include "core/error.h"

namespace braid {
namespace {

/// Which tokens come up, and how often, over many draws.
std::vector<int> counts(const SamplingOptions& options, const std::vector<float>& logits, int draws,
                        std::vector<int32_t> seen = {}) {
  Sampler sampler(options);
  std::vector<int> counts(logits.size());
  for (int i = 0; i < draws; ++i) ++counts.at(sampler.sample(logits, {.tokens = seen}, static_cast<uint64_t>(i)));
  return counts;
}

std::set<size_t> support(const std::vector<int>& counts) {
  std::set<size_t> ids;
  for (size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0) ids.insert(i);
  return ids;
}

/// The counts are those of these probabilities: Pearson's chi² stays below the 1 − 10⁻⁶ quantile (Wilson, Hilferty).
void expect_distribution(const std::vector<int>& counts, const std::vector<double>& probabilities) {
  const double draws = std::accumulate(counts.begin(), counts.end(), 0.0);
  double chi2 = 0, freedom = -1;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (probabilities[i] == 0) {
      EXPECT_EQ(counts[i], 0) << i;
      continue;
    }
    const double expected = draws * probabilities[i];
    chi2 += (counts[i] - expected) * (counts[i] - expected) / expected;
    ++freedom;
  }
  const double k = 2 / (9 * freedom), quantile = freedom * std::pow(1 - k + 4.753 * std::sqrt(k), 3);
  EXPECT_LT(chi2, quantile);
}

const std::vector<float> kLogits{std::log(0.1f), std::log(0.4f), std::log(0.05f), std::log(0.3f), std::log(0.15f)};

TEST(Sampler, GreedyTakesTheLargestAndTheLowerIdOfEquals) {
  Sampler greedy({});
  EXPECT_EQ(greedy.sample(std::vector<float>{1, 3, 2}, {}, 0), 1);
  EXPECT_EQ(greedy.sample(std::vector<float>{1, 3, 3}, {}, 0), 1);
  EXPECT_EQ(greedy.sample(std::vector<float>{-INFINITY, -5}, {}, 0), 1);
}

TEST(Sampler, DrawsFromTheSoftmax) {
  expect_distribution(counts({.temperature = 1, .seed = 3}, kLogits, 100'000), {0.1, 0.4, 0.05, 0.3, 0.15});
}

TEST(Sampler, TemperatureSharpensTheDistribution) {
  std::vector<double> p{0.01, 0.16, 0.0025, 0.09, 0.0225};
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& x : p) x /= sum;
  expect_distribution(counts({.temperature = 0.5, .seed = 4}, kLogits, 100'000), p);
}

TEST(Sampler, TopKKeepsTheKLargest) {
  expect_distribution(counts({.temperature = 1, .top_k = 2, .seed = 5}, kLogits, 50'000), {0, 4 / 7.0, 0, 3 / 7.0, 0});
  EXPECT_EQ(support(counts({.temperature = 1, .top_k = 50}, kLogits, 5'000)).size(), 5u);
}

TEST(Sampler, TopKOfEqualsKeepsTheLowerIds) {
  EXPECT_EQ(support(counts({.temperature = 1, .top_k = 2}, {1, 1, 1, 1}, 1'000)), (std::set<size_t>{0, 1}));
}

TEST(Sampler, TopPKeepsTheSmallestSetWithThatMuchProbability) {
  // 0.4, 0.3, 0.15, 0.1, 0.05: transformers drops a token when those before it already have top_p.
  EXPECT_EQ(support(counts({.temperature = 1, .top_p = 0.69}, kLogits, 5'000)), (std::set<size_t>{1, 3}));
  EXPECT_EQ(support(counts({.temperature = 1, .top_p = 0.71}, kLogits, 5'000)), (std::set<size_t>{1, 3, 4}));
  EXPECT_EQ(support(counts({.temperature = 1, .top_p = 0}, kLogits, 1'000)), (std::set<size_t>{1}));
  expect_distribution(counts({.temperature = 1, .top_p = 0.69, .seed = 6}, kLogits, 50'000),
                      {0, 4 / 7.0, 0, 3 / 7.0, 0});
}

TEST(Sampler, TopPSeesWhatTopKLeft) {
  // Of {0.4, 0.3} the first has 0.57 alone.
  EXPECT_EQ(support(counts({.temperature = 1, .top_k = 2, .top_p = 0.55}, kLogits, 1'000)), (std::set<size_t>{1}));
}

TEST(Sampler, TopPSeesProbabilitiesAfterTheTemperature) {
  // At temperature 0.5 the largest has 0.56.
  EXPECT_EQ(support(counts({.temperature = 0.5, .top_p = 0.55}, kLogits, 1'000)), (std::set<size_t>{1}));
}

TEST(Sampler, MinPKeepsWhatIsProbableEnoughNextToTheLargest) {
  EXPECT_EQ(support(counts({.temperature = 1, .min_p = 0.3}, kLogits, 5'000)), (std::set<size_t>{1, 3, 4}));
  EXPECT_EQ(support(counts({.temperature = 1, .min_p = 1}, kLogits, 1'000)), (std::set<size_t>{1}));
}

TEST(Sampler, RepetitionPenaltyDividesPositiveAndMultipliesNegativeLogitsOnce) {
  const std::vector<int32_t> seen{1, 1, 0}, elsewhere{-3, 99};
  Sampler sampler({.repetition_penalty = 2});
  EXPECT_EQ(sampler.sample(std::vector<float>{-1, 4, 1.9f}, {.tokens = seen}, 0), 1) << "4 / 2, once";
  EXPECT_EQ(sampler.sample(std::vector<float>{-1, 4, 2.1f}, {.tokens = seen}, 0), 2);
  EXPECT_EQ(sampler.sample(std::vector<float>{-1, -9, -1.5f}, {.tokens = seen}, 0), 2) << "-1 · 2 < -1.5";
  EXPECT_EQ(sampler.sample(std::vector<float>{5, 1}, {.tokens = elsewhere}, 0), 0) << "no such token";
}

TEST(Sampler, SuppressedTokensNeverComeUp) {
  EXPECT_EQ(support(counts({.temperature = 1, .suppress = {1, 3, 77}}, kLogits, 5'000)), (std::set<size_t>{0, 2, 4}));
  Sampler greedy({.suppress = {1}});
  EXPECT_EQ(greedy.sample(kLogits, {}, 0), 3);
}

TEST(Sampler, FiltersOverALargeVocabularyAgreeWithADirectComputation) {
  std::mt19937 random(9);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(5'000);
  for (float& x : logits) x = normal(random);
  // Directly: sort, and cut where the sum reaches top_p.
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  double total = 0, sum = 0;
  for (const float x : logits) total += std::exp(static_cast<double>(x));
  std::set<size_t> kept;
  for (const size_t i : order) {
    if (sum >= 0.5 * total) break;
    kept.insert(i);
    sum += std::exp(static_cast<double>(logits[i]));
  }
  const std::set<size_t> drawn = support(counts({.temperature = 1, .top_p = 0.5, .seed = 8}, logits, 4'000));
  EXPECT_TRUE(std::ranges::includes(kept, drawn));
  EXPECT_GT(drawn.size(), kept.size() / 4);
}

TEST(Sampler, ADrawDependsOnSeedAndIndexAlone) {
  Sampler a({.temperature = 1, .seed = 1}), again({.temperature = 1, .seed = 1}), other({.temperature = 1, .seed = 2});
  std::vector<int32_t> forwards, backwards(100), different;
  for (uint64_t i = 0; i < 100; ++i) forwards.push_back(a.sample(kLogits, {}, i));
  for (uint64_t i = 100; i-- > 0;) backwards[i] = again.sample(kLogits, {}, i);
  for (uint64_t i = 0; i < 100; ++i) different.push_back(other.sample(kLogits, {}, i));
  EXPECT_EQ(forwards, backwards);
  EXPECT_NE(forwards, different);
}

TEST(Sampler, NeighbouringSeedsAndIndicesGiveIndependentNumbers) {
  double sum = 0, product = 0;
  constexpr int kN = 100'000;
  for (uint64_t i = 0; i < kN; ++i) {
    sum += uniform(i, 0);
    product += (uniform(i, 0) - 0.5) * (uniform(i + 1, 0) - 0.5) + (uniform(5, i) - 0.5) * (uniform(5, i + 1) - 0.5);
  }
  EXPECT_NEAR(sum / kN, 0.5, 5 * std::sqrt(1 / 12.0 / kN));
  EXPECT_NEAR(product / kN, 0, 5 * std::sqrt(2 / 144.0 / kN));
}

TEST(Sampler, LogitsThatAreNoNumbersAreAnError) {
  for (const double temperature : {0.0, 1.0}) {
    Sampler sampler({.temperature = temperature});
    EXPECT_THROW(sampler.sample(std::vector<float>{1, NAN, 2}, {}, 0), Error);
    EXPECT_THROW(sampler.sample(std::vector<float>{NAN, 1}, {}, 0), Error);
    EXPECT_THROW(sampler.sample(std::vector<float>{1, INFINITY}, {}, 0), Error);
    EXPECT_THROW(sampler.sample(std::vector<float>{-INFINITY, -INFINITY}, {}, 0), Error);
    EXPECT_EQ(sampler.sample(std::vector<float>{-INFINITY, 2}, {}, 0), 1);
  }
}

struct BadOption {
  const char* field;
  SamplingOptions options;
};

TEST(Sampler, NamesTheOptionThatIsOutOfRange) {
  const BadOption bad[] = {
      {"temperature", {.temperature = NAN}},
      {"temperature", {.temperature = -1}},
      {"temperature", {.temperature = INFINITY}},
      {"top_p", {.top_p = 2}},
      {"top_p", {.top_p = -0.1}},
      {"top_p", {.top_p = NAN}},
      {"top_k", {.top_k = -5}},
      {"min_p", {.min_p = 1.5}},
      {"min_p", {.min_p = NAN}},
      {"repetition_penalty", {.repetition_penalty = 0}},
      {"repetition_penalty", {.repetition_penalty = -1}},
      {"repetition_penalty", {.repetition_penalty = NAN}},
      {"encoder_repetition_penalty", {.encoder_repetition_penalty = 0}},
      {"frequency_penalty", {.frequency_penalty = INFINITY}},
      {"presence_penalty", {.presence_penalty = NAN}},
      {"typical_p", {.typical_p = 0}},
      {"top_h", {.top_h = 1.5}},
      {"epsilon_cutoff", {.epsilon_cutoff = 1}},
      {"eta_cutoff", {.eta_cutoff = -1}},
      {"no_repeat_ngram_size", {.no_repeat_ngram_size = -1}},
      {"min_new_tokens", {.min_new_tokens = -1}},
      {"bad_words_ids", {.bad_words = {{}}}},
      {"sequence_bias", {.sequence_bias = {{{}, 1}}}},
      {"exponential_decay_length_penalty", {.exponential_decay_length_penalty = {-1, 1.1}}},
  };
  for (const BadOption& option : bad) {
    try {
      Sampler sampler(option.options);
      ADD_FAILURE() << option.field;
    } catch (const UsageError& error) {
      EXPECT_EQ(error.place().field, option.field);
    }
  }
}

}  // namespace
}  // namespace braid
