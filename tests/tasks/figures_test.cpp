// Plain figures: checksums, losses, verdicts.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/error.h"
#include "tasks/bench.h"
#include "tasks/inspect.h"
#include "tasks/measure.h"
#include "tasks/numbers.h"
#include "tasks/perplexity.h"
#include "tasks/sequences.h"

namespace braid {
namespace {

Tensor floats(std::vector<int64_t> shape, const std::vector<float>& values) {
  return Tensor::of(std::move(shape), std::span<const float>(values));
}

TEST(Checksum, IsThatOfTheNumbersAsLittleEndianFloats) {
  // printf '\0\0\200\077\0\0\0\300' | sha256sum
  EXPECT_EQ(checksum(floats({2}, {1.0f, -2.0f})), "ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b");
}

TEST(Checksum, DoesNotSeeTheSignOfZeroNorTheFormat) {
  Tensor half = Tensor::make({1, 3}, Format::bf16);
  half.data<uint16_t>()[0] = 0x8000;  // -0
  half.data<uint16_t>()[1] = 0x3fc0;  // 1.5
  half.data<uint16_t>()[2] = 0xc000;  // -2
  EXPECT_EQ(checksum(half), checksum(floats({3, 1}, {0.0f, 1.5f, -2.0f})));
  EXPECT_NE(checksum(half), checksum(floats({3}, {0.0f, 1.5f, 2.0f})));
}

TEST(NegativeLogLikelihood, OfEqualLogitsIsTheLogarithmOfTheirNumber) {
  const std::vector<float> logits(1000, 3.5f);
  EXPECT_NEAR(negative_log_likelihood(logits, 17), std::log(1000.0), 1e-12);
}

TEST(NegativeLogLikelihood, SurvivesLargeLogits) {
  const std::vector<float> logits{1e30f, 0, -1e30f};
  EXPECT_EQ(negative_log_likelihood(logits, 0), 0);
  EXPECT_TRUE(std::isfinite(negative_log_likelihood(logits, 2)));
}

TEST(NegativeLogLikelihood, EqualsTheSoftmaxByHand) {
  const std::vector<float> logits{1, 2, 4};
  const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(4.0);
  // Each exponential is rounded to a float once.
  EXPECT_NEAR(negative_log_likelihood(logits, 1), std::log(sum) - 2, 3 * std::exp2(-24));
}

TEST(Greedy, TakesTheLowerIdOfEquals) {
  EXPECT_EQ(greedy(floats({2, 3}, {1, 5, 5, 0, -1, -2})), (std::vector<int32_t>{1, 0}));
}

TEST(ToIntegers, ReadsEveryIntegerFormatAndNoOther) {
  Tensor bytes = Tensor::make({2}, Format::u8);
  bytes.data<uint8_t>()[1] = 200;
  EXPECT_EQ(to_integers(bytes), (std::vector<int64_t>{0, 200}));
  Tensor wide = Tensor::make({1}, Format::i64);
  wide.data<int64_t>()[0] = -5'000'000'000;
  EXPECT_EQ(to_integers(wide), (std::vector<int64_t>{-5'000'000'000}));
  EXPECT_TRUE(to_integers(Tensor::make({1}, Format::f32)).empty());
}

TEST(Judge, CallsALossByItsSizeUnlessTheRepeatsDifferAsMuch) {
  EXPECT_EQ(judge(-0.5, 0), Regression::none);
  EXPECT_EQ(judge(0.049, 0), Regression::none);
  EXPECT_EQ(judge(0.05, 0), Regression::minor);
  EXPECT_EQ(judge(0.15, 0.01), Regression::moderate);
  EXPECT_EQ(judge(0.30, 0.01), Regression::severe);
  EXPECT_EQ(judge(0.20, 0.25), Regression::none);
}

TEST(MeasureLimits, RefusesAnInstructionSetThatIsNotThere) {
  EXPECT_THROW(measure_limits(1, "abacus"), UsageError);
}

}  // namespace
}  // namespace braid
