#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "models/blocks/rotary.h"
#include "models/fake_index.h"

namespace braid {
namespace {

using Type = RopeConfig::Type;

struct Made {
  std::vector<float> frequencies;
  double scale;
};

/// What the rope node of a graph got.
Made made(const RopeConfig& config, int64_t head_dim) {
  Builder b;
  const Value x = b.input("x", {.shape = {Symbol::tokens, 2, head_dim}, .format = Format::f32});
  const Value positions = b.input("positions", {.shape = {Symbol::tokens}, .format = Format::i32});
  const EntryOptions options;
  const Value y = Rotary(Step(b, options), config, head_dim)(x, positions);
  const Node& node = b.graph().node(y.id);
  const Tensor& table = b.graph().node(node.inputs.at(2)).attrs.tensor("value");
  const float* first = table.data<float>();
  return {{first, first + table.elements()}, node.attrs.number_or("scale", 1.0)};
}

TEST(Rotary, FrequenciesFallFromOneAsPowersOfTheta) {
  const auto [f, scale] = made({.theta = 10000}, 8);
  ASSERT_EQ(f.size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(f[i], static_cast<float>(std::pow(10.0, -static_cast<double>(i))));
  EXPECT_EQ(scale, 1.0);
}

TEST(Rotary, LinearStretchesEveryWavelength) {
  const auto plain = made({.theta = 10000}, 16).frequencies;
  const auto stretched = made({.type = Type::linear, .theta = 10000, .factor = 4}, 16).frequencies;
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_FLOAT_EQ(stretched[i], plain[i] / 4);
}

TEST(Rotary, Llama3KeepsShortWavesStretchesLongOnesAndBlendsBetween) {
  RopeConfig config{.type = Type::llama3, .theta = 500000, .factor = 8, .low_freq_factor = 1, .high_freq_factor = 4};
  config.original_max_position = 8192;
  const auto plain = made({.theta = 500000}, 128).frequencies, f = made(config, 128).frequencies;
  int kept = 0, stretched = 0, blended = 0;
  for (size_t i = 0; i < f.size(); ++i) {
    const double turns = 8192 * static_cast<double>(plain[i]) / (2 * std::numbers::pi);
    if (turns > 4) {
      EXPECT_FLOAT_EQ(f[i], plain[i]);
      ++kept;
    } else if (turns < 1) {
      EXPECT_FLOAT_EQ(f[i], plain[i] / 8);
      ++stretched;
    } else {
      EXPECT_LT(f[i], plain[i]);
      ++blended;
      EXPECT_GT(f[i], plain[i] / 8);
    }
    EXPECT_TRUE(i == 0 || f[i] < f[i - 1]);
  }
  EXPECT_TRUE(kept > 0 && stretched > 0 && blended > 0);
}

TEST(Rotary, YarnSharpensAttentionWithTheLogarithmOfTheFactor) {
  RopeConfig config{.type = Type::yarn, .theta = 10000, .factor = 4};
  config.original_max_position = 32;
  EXPECT_DOUBLE_EQ(made(config, 16).scale, 0.1 * std::log(4.0) + 1);
  config.mscale = 2;
  config.mscale_all_dim = 1;
  EXPECT_DOUBLE_EQ(made(config, 16).scale, (0.2 * std::log(4.0) + 1) / (0.1 * std::log(4.0) + 1));
  config.attention_factor = 1.5;
  EXPECT_DOUBLE_EQ(made(config, 16).scale, 1.5);
}

TEST(Rotary, YarnKeepsTheFastestAndStretchesTheSlowest) {
  RopeConfig config{.type = Type::yarn, .theta = 10000, .factor = 4};
  config.original_max_position = 4096;
  const auto plain = made({.theta = 10000}, 64).frequencies, f = made(config, 64).frequencies;
  EXPECT_FLOAT_EQ(f.front(), plain.front());
  EXPECT_FLOAT_EQ(f.back(), plain.back() / 4);
}

TEST(Rotary, APartOfEachHeadMayTurn) {
  RopeConfig config;
  config.partial_rotary_factor = 0.5;
  EXPECT_EQ(made(config, 16).frequencies.size(), 4u);
}

TEST(Rotary, AnOddNumberOfDimensionsIsRefused) {
  EXPECT_EQ(test::error_of([] { made({}, 15); }).place().field, "head_dim");
  EXPECT_EQ(test::error_of([] { made({}, 1); }).place().field, "head_dim");
}

TEST(Rotary, ParametersWithoutFiniteFrequenciesAreRefused) {
  EXPECT_EQ(test::error_of([] { made({.theta = 1e-300}, 16); }).place().field, "rope_theta");
}

RopeConfig longrope() {
  RopeConfig config{.type = Type::longrope, .factor = 4, .original_max_position = 128};
  config.short_factor = {1, 2};
  config.long_factor = {4, 8};
  return config;
}

TEST(Rotary, LongropeTakesTheFactorsOfTheContextThatItsPagesHold) {
  const auto plain = made({.theta = 10000}, 4).frequencies;
  const auto at = [&](int64_t max_pages) {
    Builder b;
    const Value x = b.input("x", {.shape = {Symbol::tokens, 2, 4}, .format = Format::f32});
    const EntryOptions options{.page_size = 64, .max_pages = max_pages};
    const Step step(b, options);
    const Node& node = b.graph().node(Rotary(step, longrope(), 4)(x, step.positions()).id);
    const float* f = b.graph().node(node.inputs.at(2)).attrs.tensor("value").data<float>();
    EXPECT_DOUBLE_EQ(node.attrs.number("scale"), std::sqrt(1 + std::log(4.0) / std::log(128.0)));
    return std::vector<float>{f[0], f[1]};
  };
  EXPECT_EQ(at(2), (std::vector<float>{plain[0], plain[1] / 2}));      // 128 tokens: the original context
  EXPECT_EQ(at(3), (std::vector<float>{plain[0] / 4, plain[1] / 8}));  // one page more
}

TEST(Rotary, LongropeNeedsAFactorForEachPair) {
  Builder b;
  const EntryOptions options;
  const Error error = test::error_of([&] { Rotary(Step(b, options), longrope(), 8); });
  EXPECT_EQ(error.place().field, "short_factor");
  EXPECT_NE(error.message().find("2 factors for 4 pairs"), std::string::npos) << error.message();
}

}  // namespace
}  // namespace braid
