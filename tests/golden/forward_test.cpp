// One whole pass without states, against what transformers answers: every output of every case, hidden states too.

#include <gtest/gtest.h>

#include <algorithm>

#include "golden/golden_case.h"

namespace braid::test {
namespace {

constexpr double kTolerance = 1e-5;  // the kit's, for engines that compute in f32

TEST(Golden, EveryCaseOfAFamilyThatWeHaveIsRun) {
  for (const std::string& name : golden_cases()) {
    const std::string task = task_of(name);
    bool run = false;
    for (const auto* tasks : {&kTextTasks, &kImageTasks, &kSpeechTasks, &kTextToTextTasks})
      run |= std::ranges::find(*tasks, task) != tasks->end();
    EXPECT_TRUE(run) << name << " is for the task \"" << task << '"';
  }
}

class GoldenText : public testing::TestWithParam<std::string> {};

TEST_P(GoldenText, EveryOutputIsThatOfTransformers) {
  const GoldenCase golden("golden/" + GetParam());
  const Batch batch = batch_of(golden, "input_ids");
  OracleModel oracle(golden, {.stateful = false, .hidden_states = true}, batch.rows);
  const auto outputs = oracle.step(golden.model().entries.front(), batch.spans);
  EXPECT_EQ(outputs.size(), golden.outputs().size());
  for (const std::string& name : golden.outputs()) {
    ASSERT_TRUE(outputs.contains(name)) << name;
    Tensor expected = golden.output(name);
    const bool per_token = expected.shape.size() >= 2 && expected.shape[1] == batch.columns;
    if (per_token) expected = rows_at(expected, 2, batch.places);
    EXPECT_LE(relative_error(outputs.at(name), expected), kTolerance) << name;
  }
}

TEST_P(GoldenText, EveryTensorOfTheFileIsReadOrStale) {
  const GoldenCase golden("golden/" + GetParam());
  const Graph graph = golden.model().build(golden.model().entries.front(), {});
  const Graph* const graphs[] = {&graph};
  EXPECT_NO_THROW(check_tensors(golden.model(), graphs, golden.index()));
}

INSTANTIATE_TEST_SUITE_P(, GoldenText, testing::ValuesIn(golden_cases(kTextTasks)), test_name);

class GoldenFeatures : public testing::TestWithParam<std::string> {};

/// Embeddings come from what a language model's head reads.
TEST_P(GoldenFeatures, AreTheLastHiddenStates) {
  const GoldenCase golden("golden/" + GetParam(), Purpose::features);
  const Batch batch = batch_of(golden, "input_ids");
  const auto outputs = OracleModel(golden, {}, batch.rows).step("forward", batch.spans);
  int last = 0;
  while (golden.has_output("hidden." + std::to_string(last + 1))) ++last;
  const Tensor expected = rows_at(golden.output("hidden." + std::to_string(last)), 2, batch.places);
  EXPECT_LE(relative_error(outputs.at("last_hidden_state"), expected), kTolerance);
}

TEST_P(GoldenFeatures, LeaveTheHeadUnread) {
  const GoldenCase golden("golden/" + GetParam(), Purpose::features);
  const Graph graph = golden.model().build("forward", {});
  const Graph* const graphs[] = {&graph};
  EXPECT_NO_THROW(check_tensors(golden.model(), graphs, golden.index()));
}

INSTANTIATE_TEST_SUITE_P(, GoldenFeatures, testing::ValuesIn(golden_cases(kDecoderTasks)), test_name);

class GoldenImages : public testing::TestWithParam<std::string> {};

TEST_P(GoldenImages, EveryOutputIsThatOfTransformers) {
  const GoldenCase golden("golden/" + GetParam());
  const Tensor pixels = golden.input("pixel_values");
  EntryOptions options{.hidden_states = true};
  options.source.assign(pixels.shape.begin() + 1, pixels.shape.end());
  const auto outputs = OracleModel(golden, options, pixels.shape[0]).step("forward", "pixel_values", pixels);
  EXPECT_EQ(outputs.size(), golden.outputs().size());
  for (const std::string& name : golden.outputs()) {
    ASSERT_TRUE(outputs.contains(name)) << name;
    EXPECT_EQ(outputs.at(name).shape, golden.output(name).shape);
    EXPECT_LE(relative_error(outputs.at(name), golden.output(name)), kTolerance) << name;
  }
}

TEST_P(GoldenImages, EveryTensorOfTheFileIsReadOrStale) {
  const GoldenCase golden("golden/" + GetParam());
  const Graph graph = golden.model().build("forward", {});
  const Graph* const graphs[] = {&graph};
  EXPECT_NO_THROW(check_tensors(golden.model(), graphs, golden.index()));
}

INSTANTIATE_TEST_SUITE_P(, GoldenImages, testing::ValuesIn(golden_cases(kImageTasks)), test_name);

class GoldenSpeech : public testing::TestWithParam<std::string> {};

TEST_P(GoldenSpeech, EveryOutputIsThatOfTransformers) {
  const GoldenCase golden("golden/" + GetParam());
  const Batch batch = batch_of(golden, "decoder_input_ids");
  OracleModel oracle(golden, {.stateful = false, .hidden_states = true}, batch.rows);
  auto outputs = oracle.step("encode", "input_features", golden.input("input_features"));
  outputs.merge(oracle.step("decode", batch.spans));
  for (const std::string& name : golden.outputs()) {
    ASSERT_TRUE(outputs.contains(name)) << name;
    EXPECT_LE(relative_error(outputs.at(name), golden.output(name)), kTolerance) << name;
  }
}

TEST_P(GoldenSpeech, EveryTensorOfTheFileIsReadOrStale) {
  const GoldenCase golden("golden/" + GetParam());
  const Graph encode = golden.model().build("encode", {}), decode = golden.model().build("decode", {});
  const Graph* const graphs[] = {&encode, &decode};
  EXPECT_NO_THROW(check_tensors(golden.model(), graphs, golden.index()));
}

INSTANTIATE_TEST_SUITE_P(, GoldenSpeech, testing::ValuesIn(golden_cases(kSpeechTasks)), test_name);

}  // namespace
}  // namespace braid::test
