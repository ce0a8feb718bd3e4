// One whole pass without states, against what transformers answers: every output of every case, hidden states too.

#include <gtest/gtest.h>

#include "golden/golden_case.h"

namespace braid::test {
namespace {

constexpr double kTolerance = 1e-5;  // the kit's, for engines that compute in f32

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

INSTANTIATE_TEST_SUITE_P(, GoldenText,
                         testing::ValuesIn(golden_cases({"albert", "bert", "camembert", "distilbert", "electra", "gpt2",
                                                         "llama", "mamba", "mixtral", "roberta", "xlm-roberta"})),
                         test_name);

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

INSTANTIATE_TEST_SUITE_P(, GoldenImages, testing::ValuesIn(golden_cases({"resnet"})), test_name);

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

INSTANTIATE_TEST_SUITE_P(, GoldenSpeech, testing::ValuesIn(golden_cases({"whisper"})), test_name);

}  // namespace
}  // namespace braid::test
