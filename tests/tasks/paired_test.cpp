#include "tasks/paired.h"

#include <gtest/gtest.h>

#include "support/kit.h"

namespace braid {
namespace {

TEST(BenchPaired, RunsBothSidesOverEveryPairAndOrdersTheQuartiles) {
  LoadOptions one{.model = test::kit_path("models/books-4m").value().string(), .threads = 1};
  LoadOptions other = one;
  other.rewrite.disabled_rules = {"merge_products"};
  int64_t steps = 0, total = 0;
  const BenchOptions options{.prompt_tokens = 24, .tokens = 20, .repeat = 2, .progress = [&](int64_t, int64_t all) {
                               total = all;
                               ++steps;
                               return true;
                             }};
  const PairedResult result = bench_paired(options, one, other);
  EXPECT_EQ(steps, 3 * 20);  // the first repeat is not timed
  EXPECT_EQ(total, 2 * 20);
  for (const PairedRatio& ratio : {result.prefill, result.decode}) {
    EXPECT_GT(ratio.low, 0);
    EXPECT_LE(ratio.low, ratio.median);
    EXPECT_LE(ratio.median, ratio.high);
  }
}

TEST(BenchPaired, RefusesARuleThatIsNotThere) {
  LoadOptions one{.model = test::kit_path("models/books-4m").value().string(), .threads = 1};
  LoadOptions other = one;
  other.rewrite.disabled_rules = {"abacus"};
  EXPECT_THROW(bench_paired({.prompt_tokens = 8, .tokens = 1, .repeat = 1}, one, other), UsageError);
}

}  // namespace
}  // namespace braid
