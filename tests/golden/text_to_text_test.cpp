// Encoder-decoders of text: sources of different lengths, each in a slot with room for a longer one, whose memory
// begins as NaN.

#include <gtest/gtest.h>

#include "golden/golden_case.h"

namespace braid::test {
namespace {

constexpr double kTolerance = 1e-5;    // the kit's, for engines that compute in f32
constexpr int64_t kSourceTokens = 23;  // more than any case has

class GoldenTextToText : public testing::TestWithParam<std::string> {};

/// Outputs over the encoder's tokens or the decoder's, as rows of the batch without padding.
Tensor rows_of(const GoldenCase& golden, const std::string& name, const Batch& source, const Batch& target) {
  const bool encoder = name.starts_with("encoder_");
  return rows_at(golden.output(name), 2, encoder ? source.places : target.places);
}

/// All of a source, in slot 1.
Span whole(const std::vector<int32_t>& tokens) {
  return {.sequence = 1, .context = 0, .tokens = tokens, .positions = {}, .segments = {}};
}

TEST_P(GoldenTextToText, EveryOutputIsThatOfTransformers) {
  const GoldenCase golden("golden/" + GetParam());
  const Batch source = batch_of(golden, "input_ids"), target = batch_of(golden, "decoder_input_ids");
  OracleModel oracle(golden, {.stateful = false, .hidden_states = true, .source_tokens = kSourceTokens}, source.rows);
  auto outputs = oracle.step("encode", source.spans);
  outputs.merge(oracle.step("decode", target.spans));
  EXPECT_EQ(outputs.size(), golden.outputs().size());
  for (const std::string& name : golden.outputs()) {
    ASSERT_TRUE(outputs.contains(name)) << name;
    EXPECT_LE(relative_error(outputs.at(name), rows_of(golden, name, source, target)), kTolerance) << name;
  }
}

TEST_P(GoldenTextToText, EveryTensorOfTheFileIsReadOrStale) {
  const GoldenCase golden("golden/" + GetParam());
  const Graph encode = golden.model().build("encode", {}), decode = golden.model().build("decode", {});
  const Graph* const graphs[] = {&encode, &decode};
  EXPECT_NO_THROW(check_tensors(golden.model(), graphs, golden.index()));
}

TEST_P(GoldenTextToText, GreedyTokensAreThoseOfTransformers) {
  const GoldenCase golden("golden/" + GetParam());
  const Greedy greedy = golden.greedy();
  if (greedy.tokens.empty()) GTEST_SKIP() << GetParam() << " has no greedy tokens";
  constexpr int64_t kPageSize = 4;
  OracleModel oracle(
      golden,
      {.page_size = kPageSize, .max_pages = std::ssize(greedy.tokens) / kPageSize + 1, .source_tokens = kSourceTokens},
      2);
  // A longer source lay in the slot before.
  std::vector<int32_t> longer(static_cast<size_t>(kSourceTokens), 9);
  oracle.step("encode", {whole(longer)});
  oracle.step("encode", {whole(greedy.prompt)});
  Span span = whole(golden.ids("decoder_input_ids", 1, 0));
  span.tokens.resize(1);  // decoder_start_token_id
  std::vector<int32_t> tokens;
  while (tokens.size() < greedy.tokens.size()) {
    tokens.push_back(argmax(oracle.step("decode", {span}).at("logits"), 0));
    ++span.context;
    span.tokens = {tokens.back()};
  }
  EXPECT_EQ(tokens, greedy.tokens);
}

INSTANTIATE_TEST_SUITE_P(, GoldenTextToText, testing::ValuesIn(golden_cases(kTextToTextTasks)), test_name);

}  // namespace
}  // namespace braid::test
