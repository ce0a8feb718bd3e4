// Buckets of distances, as transformers' T5 gives them.

#include "models/blocks/relative.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"

namespace braid {
namespace {

struct Recorded {
  const char* name;
  RelativeBuckets how;
  std::vector<int32_t> buckets;  // of kDistances
};
const std::vector<int64_t> kDistances{-200, -129, -128, -127, -91, -64, -46, -32, -23, -20, -19, -16,
                                      -12,  -11,  -8,   -7,   -4,  -1,  0,   1,   3,   5,   8,   10,
                                      13,   16,   22,   32,   40,  64,  91,  100, 127, 128, 500};

class RelativeDistances : public testing::TestWithParam<Recorded> {};

TEST_P(RelativeDistances, HaveTheBucketsThatTransformersGivesThem) {
  const auto& [name, how, expected] = GetParam();
  const std::vector<int32_t> buckets = relative_buckets(how);
  ASSERT_EQ(std::ssize(buckets), 2 * how.max_distance + 1);
  for (size_t i = 0; i < kDistances.size(); ++i) {
    const int64_t d = std::clamp(kDistances[i], -how.max_distance, how.max_distance);  // as attention reads the table
    EXPECT_EQ(buckets[static_cast<size_t>(d + how.max_distance)], expected[i]) << "distance " << kDistances[i];
  }
}

INSTANTIATE_TEST_SUITE_P(
    , RelativeDistances,
    testing::Values(
        Recorded{"EncoderOf32", {32, 128, true}, {15, 15, 15, 15, 15, 14, 13, 12, 11, 10, 10, 10, 9,  8,  8,  7,  4, 1,
                                                  0,  17, 19, 21, 24, 24, 25, 26, 26, 28, 28, 30, 31, 31, 31, 31, 31}},
        Recorded{"DecoderOf32", {32, 128, false}, {31, 31, 31, 31, 29, 26, 24, 21, 18, 17, 17, 16, 12, 11, 8, 7, 4, 1,
                                                   0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 0, 0}},
        Recorded{"EncoderOf16", {16, 20, true}, {7, 7, 7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  6,  6,  5,  5,  4, 1,
                                                 0, 9, 11, 12, 13, 14, 14, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15}},
        Recorded{"DecoderOf16", {16, 20, false}, {15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 11, 10, 8, 7, 4, 1,
                                                  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 0, 0}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(RelativeBuckets, RefuseATableThatDoesNotReach) {
  EXPECT_THROW(relative_buckets({.buckets = 32, .max_distance = 4, .bidirectional = true}), Error);
  EXPECT_THROW(relative_buckets({.buckets = 2, .max_distance = 128, .bidirectional = true}), Error);
}

}  // namespace
}  // namespace braid
