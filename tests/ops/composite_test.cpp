// Norms, activations, positions and routing against their formulas.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "ops/direct.h"

namespace braid {
namespace {

using direct::Doubles;
using samples::Maker;

constexpr int64_t kRows = 3, kWidth = 37;

/// One output of a sample on one f32 input.
void expect_rows(Maker& m, Value x, Value y, const std::function<Doubles(const Doubles&)>& formula, double allowed) {
  const Doubles xs = direct::numbers(m.value_of(x));
  const auto width = static_cast<size_t>(x.dim(-1).number());
  Doubles wanted;
  for (size_t at = 0; at < xs.size(); at += width) {
    const Doubles row =
        formula({xs.begin() + static_cast<ptrdiff_t>(at), xs.begin() + static_cast<ptrdiff_t>(at + width)});
    wanted.insert(wanted.end(), row.begin(), row.end());
  }
  EXPECT_LE(direct::error(direct::run(m.finish({y}, 1))[0], wanted), allowed);
}

TEST(Softmax, SumsToOneAndSurvivesLargeNumbers) {
  Maker m("softmax", op::softmax);
  Value x = m.uniform({kRows, kWidth}, -200, 200);
  expect_rows(
      m, x, softmax(x),
      [](const Doubles& row) {
        const double greatest = *std::max_element(row.begin(), row.end());
        Doubles y;
        double sum = 0;
        for (double v : row) sum += std::exp(v - greatest);
        for (double v : row) y.push_back(std::exp(v - greatest) / sum);
        return y;
      },
      direct::few_roundings(16));
}

TEST(RmsNorm, DividesByTheRootMeanSquare) {
  for (Format format : {Format::f32, Format::bf16, Format::f16}) {
    Maker m("rms", op::rms_norm);
    Value x = m.input({kRows, kWidth}), w = m.weight({kWidth}, format);
    const Doubles ws = direct::numbers(m.value_of(w));
    expect_rows(
        m, x, rms_norm(x, w, 1e-3),
        [&](const Doubles& row) {
          const double square = std::inner_product(row.begin(), row.end(), row.begin(), 0.0) / kWidth;
          Doubles y;
          for (size_t i = 0; i < row.size(); ++i) y.push_back(row[i] / std::sqrt(square + 1e-3) * ws[i]);
          return y;
        },
        direct::few_roundings(6));
  }
}

TEST(LayerNorm, CentresAndScales) {
  for (bool with_bias : {true, false}) {
    Maker m("layer", op::layer_norm);
    Value x = m.uniform({kRows, kWidth}, 3, 9), w = m.weight({kWidth}), b = with_bias ? m.weight({kWidth}) : Value{};
    const Doubles ws = direct::numbers(m.value_of(w)),
                  bs = with_bias ? direct::numbers(m.value_of(b)) : Doubles(kWidth, 0.0);
    expect_rows(
        m, x, layer_norm(x, w, b, 1e-3),
        [&](const Doubles& row) {
          const double mean = std::accumulate(row.begin(), row.end(), 0.0) / kWidth;
          double variance = 0;
          for (double v : row) variance += (v - mean) * (v - mean) / kWidth;
          Doubles y;
          for (size_t i = 0; i < row.size(); ++i)
            y.push_back((row[i] - mean) / std::sqrt(variance + 1e-3) * ws[i] + bs[i]);
          return y;
        },
        direct::few_roundings(64));  // the mean of numbers around 6 is rounded before it is subtracted
  }
}

TEST(Activations, FollowTheirFormulas) {
  struct Case {
    const char* name;
    double (*formula)(double);
  };
  const Case kCases[] = {
      {"silu", [](double x) { return x / (1 + std::exp(-x)); }},
      {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"gelu", [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }},
      {"gelu_new",
       [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }},
      {"gelu_pytorch_tanh",
       [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }},
      {"relu", [](double x) { return std::max(x, 0.0); }},
      {"softplus", [](double x) { return x > 20 ? x : std::log1p(std::exp(x)); }},
      {"tanh", [](double x) { return std::tanh(x); }},
      {"linear", [](double x) { return x; }},
  };
  for (const Case& c : kCases) {
    Maker m(c.name, op::silu);
    Value x = m.uniform({kRows, kWidth}, -30, 30);
    SCOPED_TRACE(c.name);
    expect_rows(
        m, x, activation(c.name, x),
        [&](const Doubles& row) {
          Doubles y;
          for (double v : row) y.push_back(c.formula(v));
          return y;
        },
        direct::few_roundings(16));
  }
  Builder b;
  EXPECT_THROW(activation("swiglu_oai", b.scalar(1)), Error);
}

TEST(Softplus, KeepsTheDigitsOfSmallResults) {
  for (float number : {-8.0f, -14.0f, -30.0f, -80.0f, 0.0f, 19.9f, 20.1f, 90.0f}) {
    Maker m("softplus", op::softplus);
    Value x = m.input({1});
    m.value_of(x).data<float>()[0] = number;
    const float y = direct::run(m.finish({softplus(x)}, 1))[0].data<float>()[0];
    const double wanted = number > 20 ? number : std::log1p(std::exp(double{number}));
    EXPECT_NEAR(y, wanted, wanted * direct::few_roundings(8)) << number;
  }
}

TEST(Rope, TurnsPairsByTheirAngles) {
  constexpr int64_t kTokens = 4, kHeads = 2, kHeadDim = 10;
  for (const auto& [rotary, interleaved] : {std::pair<int64_t, bool>{10, false}, {6, false}, {10, true}, {6, true}}) {
    Maker m("rope", op::rope);
    Value x = m.input({kTokens, kHeads, kHeadDim});
    Value positions = m.integers({kTokens}, {0, 5, 1, 90}), inverse = m.uniform({rotary / 2}, 0.01f, 1);
    const Doubles xs = direct::numbers(m.value_of(x)), f = direct::numbers(m.value_of(inverse));
    const double where[] = {0, 5, 1, 90}, scale = 1.1;
    Doubles wanted = xs;
    for (size_t t = 0; t < kTokens; ++t)
      for (size_t h = 0; h < kHeads; ++h)
        for (size_t i = 0; i < f.size(); ++i) {
          const size_t row = (t * kHeads + h) * kHeadDim;
          const size_t a = row + (interleaved ? 2 * i : i), b = interleaved ? a + 1 : a + f.size();
          const double c = std::cos(where[t] * f[i]) * scale, s = std::sin(where[t] * f[i]) * scale;
          wanted[a] = xs[a] * c - xs[b] * s;
          wanted[b] = xs[b] * c + xs[a] * s;
        }
    Value y = rope(x, positions, inverse, {.rotary_dim = rotary, .scale = scale, .interleaved = interleaved});
    // An angle of up to 90 is rounded to f32 before its cosine is taken.
    EXPECT_LE(direct::error(direct::run(m.finish({y}, 1))[0], wanted),
              90 * info(Format::f32).epsilon + direct::few_roundings(4));
  }
}

TEST(Route, GivesTheBestExpertsAndTheirWeights) {
  for (bool renormalise : {true, false}) {
    Maker m("route", op::route);
    Value logits = m.input({2, 4});
    const float numbers[] = {1, 3, 2, 0, -1, -1, 5, -1};
    std::copy(std::begin(numbers), std::end(numbers), m.value_of(logits).data<float>());
    Routed routed = route(logits, {}, {.chosen = 2, .renormalise = renormalise});
    const auto outputs = direct::run(m.finish({routed.experts, routed.weights}, 1));
    EXPECT_EQ(direct::numbers(outputs[0]), (Doubles{1, 2, 2, 0}));  // equal weights: the lower index first
    const double e1 = std::exp(1.0), e2 = std::exp(2.0), e3 = std::exp(3.0),
                 first = renormalise ? e2 + e3 : 1 + e1 + e2 + e3;
    const double e5 = std::exp(5.0), em = std::exp(-1.0), second = renormalise ? e5 + em : e5 + 3 * em;
    EXPECT_LE(direct::error(outputs[1], {e3 / first, e2 / first, e5 / second, em / second}), direct::few_roundings(8));
  }
}

TEST(Route, TheBiasDecidesWhoIsChosenButNotHowMuch) {
  Maker m("route", op::route);
  Value logits = m.input({1, 4}), bias = m.input({4});
  const float numbers[] = {0, 1, -1, 2}, biases[] = {0, 0, 9, -9};
  std::copy(std::begin(numbers), std::end(numbers), m.value_of(logits).data<float>());
  std::copy(std::begin(biases), std::end(biases), m.value_of(bias).data<float>());
  Routed routed = route(logits, bias, {.chosen = 2, .scores = Routing::Scores::sigmoid, .scale = 3});
  const auto outputs = direct::run(m.finish({routed.experts, routed.weights}, 1));
  EXPECT_EQ(direct::numbers(outputs[0]), (Doubles{2, 1}));
  EXPECT_LE(direct::error(outputs[1], {3 / (1 + std::exp(1.0)), 3 / (1 + std::exp(-1.0))}), direct::few_roundings(8));
}

TEST(Route, ChoosesFromTheBestGroupsOnly) {
  // Groups of two: the best expert of all is alone in its group; two good ones together are worth more.
  const float numbers[] = {5, -9, 3, 2.5f, -9, 4, 1, 1};
  const auto chosen_of = [&](int64_t group_best) {
    Maker m("route", op::route);
    Value logits = m.input({1, 8});
    std::copy(std::begin(numbers), std::end(numbers), m.value_of(logits).data<float>());
    Routed routed = route(
        logits, {},
        {.chosen = 2, .scores = Routing::Scores::sigmoid, .groups = 4, .kept_groups = 1, .group_best = group_best});
    return direct::numbers(direct::run(m.finish({routed.experts, routed.weights}, 1))[0]);
  };
  EXPECT_EQ(chosen_of(1), (Doubles{0, 1}));
  EXPECT_EQ(chosen_of(2), (Doubles{2, 3}));
}

}  // namespace
}  // namespace braid
