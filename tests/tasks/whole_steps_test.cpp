// What `bench` does with a model that only reads.

#include "tasks/whole_steps.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "support/kit.h"
#include "tasks/bench.h"
#include "tasks/load.h"

namespace braid {
namespace {

constexpr const char* kEncoder = R"({"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 32,
  "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 64, "vocab_size": 99,
  "max_position_embeddings": 64})";

class Encoder : public testing::Test {
 protected:
  Encoder() { test::write_file(folder_.path() / "config.json", kEncoder); }
  LoadOptions options(const BenchOptions& bench) const {
    return bench_options(bench, {.model = (folder_.path() / "config.json").string(), .threads = 1, .random_seed = 1});
  }
  test::TempDirectory folder_;
};

TEST_F(Encoder, IsMeasuredByWholePassesAndDecodesNothing) {
  int64_t calls = 0;
  const BenchOptions bench{
      .prompt_tokens = 16, .tokens = 1, .batch = 3, .repeat = 2, .progress = [&](int64_t, int64_t) {
        ++calls;
        return true;
      }};
  const LoadOptions load = options(bench);
  LoadedModel model = load_model(load);
  const BenchResult result = braid::bench(model, bench, load);
  EXPECT_EQ(calls, 3);  // the first pass is not timed
  EXPECT_GT(result.prefill_tokens_per_s, 0);
  EXPECT_GT(result.peak_fraction, 0);
  EXPECT_EQ(result.decode_tokens_per_s, 0);
  EXPECT_EQ(result.bytes_per_token, 0);
  // Two layers: four square matrices and the MLP's two; 16 keys for each query, for scores and values. The pooler
  // multiplies one of a sequence's 16 tokens.
  const double layer = 2.0 * (4 * 32 * 32 + 2 * 32 * 64) + 2 * 2.0 * 16 * 32, pooler = 2.0 * 32 * 32 / 16;
  EXPECT_DOUBLE_EQ(result.operations_per_token, 2 * layer + pooler);
}

TEST_F(Encoder, ReadsAsManyWholeSequencesInAStepAsFit) {
  LoadOptions load = options({.prompt_tokens = 16, .tokens = 1, .batch = 5});
  load.step_tokens = 40;
  LoadedModel model = load_model(load);
  const std::vector<int32_t> ids(5 * 16, 7), longer(41, 7);
  WholeSteps steps(*model.program, ids, 5);
  EXPECT_EQ(steps.steps(), 3);  // two, two and one
  EXPECT_EQ(steps.largest_tokens(), 32);
  steps.run();
  EXPECT_THROW(WholeSteps(*model.program, longer, 1), UsageError);
}

}  // namespace
}  // namespace braid
