#include "engine/logprobs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace braid {
namespace {

TEST(Logprobs, AreThoseOfTheSoftmaxAndRankTheLikeliest) {
  const std::vector<float> logits{std::log(0.1f), std::log(0.4f), std::log(0.05f), std::log(0.4f), std::log(0.05f)};
  const TokenLogprob out = token_logprob(logits, 2, 3);
  EXPECT_EQ(out.token, 2);
  EXPECT_NEAR(out.logprob, std::log(0.05), 1e-6);
  ASSERT_EQ(out.top.size(), 3u);
  EXPECT_EQ(out.top[0].token, 1) << "the lower of equals first";
  EXPECT_EQ(out.top[1].token, 3);
  EXPECT_EQ(out.top[2].token, 0);
  EXPECT_NEAR(out.top[1].logprob, std::log(0.4), 1e-6);
}

TEST(Logprobs, GiveNoMoreThanThereAreTokens) {
  const std::vector<float> logits{1, 2};
  EXPECT_TRUE(token_logprob(logits, 0, 0).top.empty());
  EXPECT_EQ(token_logprob(logits, 0, 9).top.size(), 2u);
}

TEST(Logprobs, SurviveLogitsThatAreLargeOrImpossible) {
  const std::vector<float> logits{1e30f, -INFINITY, 1e30f};
  EXPECT_NEAR(token_logprob(logits, 0, 0).logprob, -std::log(2.0), 1e-6);
  EXPECT_EQ(token_logprob(logits, 1, 0).logprob, -INFINITY);
}

}  // namespace
}  // namespace braid
