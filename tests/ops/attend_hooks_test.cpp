// What hooks do to attention, against a direct computation: windows, soft caps, ALiBi, relative biases, sinks.
#include <gtest/gtest.h>

#include "ops/direct.h"

namespace braid {
namespace {

using direct::Doubles;
using samples::Batch;
using samples::Maker;

const Dim kTokens(Symbol::tokens);
constexpr int64_t kHeads = 4, kKvHeads = 2, kHeadDim = 8;
constexpr double kScale = 0.35;

/// Scores of one query and head over `n` keys, before the softmax; -inf where a key is not seen.
struct Scores {
  bool causal = true;
  int64_t window = 0;
  double cap = 0, slope = 0;
  Doubles relative = {};

  double operator()(double product, int64_t distance) const {
    if ((causal && distance > 0) || (window > 0 && std::abs(distance) >= window)) return -INFINITY;
    double score = product * kScale;
    if (cap > 0) score = cap * std::tanh(score / cap);
    score += slope * static_cast<double>(distance);
    const int64_t reach = static_cast<int64_t>(relative.size()) / 2;
    if (reach > 0) score += relative[static_cast<size_t>(std::clamp(distance, -reach, reach) + reach)];
    return score;
  }
};

/// One sequence of `n` tokens, without a cache; scores_of(head), sink_of(head).
Doubles attend_directly(const Doubles& q, const Doubles& k, const Doubles& v, int64_t n,
                        const std::function<Scores(int64_t)>& scores_of,
                        const std::function<double(int64_t)>& sink_of) {
  Doubles out;
  for (int64_t t = 0; t < n; ++t)
    for (int64_t h = 0; h < kHeads; ++h) {
      const Scores scores = scores_of(h);
      double total = std::exp(sink_of(h));
      Doubles y(kHeadDim, 0.0);
      for (int64_t i = 0; i < n; ++i) {
        const size_t key = static_cast<size_t>((i * kKvHeads + h / (kHeads / kKvHeads)) * kHeadDim);
        double product = 0;
        for (size_t d = 0; d < kHeadDim; ++d)
          product += q[static_cast<size_t>((t * kHeads + h) * kHeadDim) + d] * k[key + d];
        const double weight = std::exp(scores(product, i - t));
        total += weight;
        for (size_t d = 0; d < kHeadDim; ++d) y[d] += weight * v[key + d];
      }
      for (double& element : y) out.push_back(element / total);
    }
  return out;
}

class AttendHooks : public testing::Test {
 protected:
  static constexpr int32_t kLength = 9;
  Maker m{"hooks", op::attend, Batch{{kLength}, {0}, {0}}.sizes()};
  Value q = m.input({kTokens, kHeads, kHeadDim}), k = m.input({kTokens, kKvHeads, kHeadDim}),
        v = m.input({kTokens, kKvHeads, kHeadDim});

  void compare(
      const Attend& how, const std::function<Scores(int64_t)>& scores_of,
      const std::function<double(int64_t)>& sink_of = [](int64_t) { return -INFINITY; }) {
    const Doubles wanted = attend_directly(direct::numbers(m.value_of(q)), direct::numbers(m.value_of(k)),
                                           direct::numbers(m.value_of(v)), kLength, scores_of, sink_of);
    Value y = attend(q, k, v, m.span_start(Batch{{kLength}, {0}, {0}}), how);
    EXPECT_LE(direct::error(direct::run(m.finish({y}, 1))[0], wanted), direct::few_roundings(24));
  }
};

TEST_F(AttendHooks, ACausalWindowHoldsTheTokenItselfAndThoseJustBefore) {
  compare({.scale = kScale, .window = 3}, [](int64_t) { return Scores{.window = 3}; });
}

TEST_F(AttendHooks, AWindowOfOneSeesTheTokenAlone) {
  compare({.scale = kScale, .window = 1}, [](int64_t) { return Scores{.window = 1}; });
}

TEST_F(AttendHooks, AWindowBothWaysIsSymmetric) {
  compare({.scale = kScale, .causal = false, .window = 4},
          [](int64_t) { return Scores{.causal = false, .window = 4}; });
}

TEST_F(AttendHooks, ASoftCapBoundsTheScores) {
  compare({.scale = kScale, .soft_cap = 0.7}, [](int64_t) { return Scores{.cap = 0.7}; });
}

TEST_F(AttendHooks, AlibiLowersAScoreByItsDistance) {
  const Value slopes = m.uniform({kHeads}, 0.1f, 1);
  const Doubles s = direct::numbers(m.value_of(slopes));
  compare({.scale = kScale, .slopes = slopes}, [&](int64_t h) { return Scores{.slope = s[static_cast<size_t>(h)]}; });
}

TEST_F(AttendHooks, ARelativeBiasIsThatOfTheNearestDistanceInReach) {
  constexpr int64_t kDistances = 5;
  const Value table = m.input({kHeads, kDistances});
  const Doubles all = direct::numbers(m.value_of(table));
  compare({.scale = kScale, .causal = false, .relative = table}, [&](int64_t h) {
    const auto row = all.begin() + h * kDistances;
    return Scores{.causal = false, .relative = Doubles(row, row + kDistances)};
  });
}

TEST_F(AttendHooks, ASinkTakesItsShareAndGivesNothing) {
  const Value sinks = m.input({kHeads});
  const Doubles s = direct::numbers(m.value_of(sinks));
  compare(
      {.scale = kScale, .sinks = sinks}, [](int64_t) { return Scores{}; },
      [&](int64_t h) { return s[static_cast<size_t>(h)]; });
}

}  // namespace
}  // namespace braid
