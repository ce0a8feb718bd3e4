// Decoding step by step on states: the golden greedy tokens, and the same logits however a prompt is cut into steps.

#include <gtest/gtest.h>

#include <numeric>

#include "golden/golden_case.h"

namespace braid::test {
namespace {

constexpr int64_t kPageSize = 4;  // small, so that a sequence has many pages and a page table matters

EntryOptions paged(int64_t tokens) {
  return {.page_size = kPageSize, .max_pages = (tokens + kPageSize - 1) / kPageSize};
}

class GoldenDecode : public testing::TestWithParam<std::string> {};

TEST_P(GoldenDecode, GreedyTokensAreThoseOfTransformers) {
  const GoldenCase golden("golden/" + GetParam());
  const Greedy greedy = golden.greedy();
  ASSERT_FALSE(greedy.tokens.empty());
  OracleModel oracle(golden, paged(static_cast<int64_t>(greedy.prompt.size() + greedy.tokens.size())), 1);
  if (greedy.sources > 0) {
    Tensor features = golden.input("input_features");
    features.shape[0] = greedy.sources;
    oracle.step("encode", "input_features", features);
  }
  Span span{.sequence = 0, .context = 0, .tokens = greedy.prompt, .positions = {}, .segments = {}};
  std::vector<int32_t> tokens;
  while (tokens.size() < greedy.tokens.size()) {
    const Tensor logits = oracle.step("decode", {span}).at("logits");
    tokens.push_back(argmax(logits, logits.rows() - 1));
    span.context += static_cast<int32_t>(span.tokens.size());
    span.tokens = {tokens.back()};
  }
  EXPECT_EQ(tokens, greedy.tokens);
}

/// The first `count` tokens of each span, cut into pieces of these sizes, the last one repeated; sequences that have no
/// tokens left drop out of the batch.
std::vector<std::vector<Span>> steps_of(const std::vector<Span>& spans, const std::vector<std::vector<size_t>>& cuts) {
  std::vector<std::vector<Span>> steps;
  std::vector<size_t> done(spans.size(), 0);
  for (size_t n = 0;; ++n) {
    std::vector<Span> step;
    for (size_t s = 0; s < spans.size(); ++s) {
      const std::vector<size_t>& cut = cuts[s % cuts.size()];
      const Span& all = spans[s];
      const size_t size = std::min(cut[std::min(n, cut.size() - 1)], all.tokens.size() - done[s]);
      if (size == 0) continue;
      const auto part = [&](const std::vector<int32_t>& list) {
        const auto first = list.begin() + static_cast<std::ptrdiff_t>(done[s]);
        return std::vector<int32_t>(first, first + static_cast<std::ptrdiff_t>(size));
      };
      step.push_back({.sequence = all.sequence,
                      .context = static_cast<int32_t>(done[s]),
                      .tokens = part(all.tokens),
                      .positions = part(all.positions),
                      .segments = {}});
      done[s] += size;
    }
    if (step.empty()) return steps;
    steps.push_back(std::move(step));
  }
}

TEST_P(GoldenDecode, LogitsAreTheSameHoweverThePromptIsCut) {
  const GoldenCase golden("golden/" + GetParam());
  const bool encodes = golden.has_input("input_features");
  const Batch batch = batch_of(golden, encodes ? "decoder_input_ids" : "input_ids");
  OracleModel whole(golden, {.stateful = false}, batch.rows);
  if (encodes) whole.step("encode", "input_features", golden.input("input_features"));
  const Tensor expected = whole.step("decode", batch.spans).at("logits");

  // Bitwise: both ways sum in f64 in the order of the positions, masked keys add exact zeros, and each value is rounded
  // to f32 once.
  const std::vector<std::vector<std::vector<size_t>>> ways{
      {{100}}, {{1}}, {{7, 100}}, {{5, 1, 3}, {2, 8, 1}}, {{4, 4}, {1}, {3, 5, 100}}};
  std::vector<int64_t> starts{0};  // of each sequence in `expected`
  for (const Span& span : batch.spans) starts.push_back(starts.back() + static_cast<int64_t>(span.tokens.size()));
  // The ways share pages and slots one after another: what one leaves there must not reach the next.
  OracleModel oracle(golden, paged(batch.columns), batch.rows);
  if (encodes) oracle.step("encode", "input_features", golden.input("input_features"));
  for (const auto& cuts : ways) {
    for (const std::vector<Span>& step : steps_of(batch.spans, cuts)) {
      std::vector<int64_t> places;
      for (const Span& span : step)
        for (size_t i = 0; i < span.tokens.size(); ++i)
          places.push_back(starts[static_cast<size_t>(span.sequence)] + span.context + static_cast<int64_t>(i));
      const Tensor logits = oracle.step("decode", step).at("logits");
      ASSERT_EQ(relative_error(logits, rows_at(expected, 1, places)), 0.0)
          << "cut " << testing::PrintToString(cuts) << " at token " << places.front();
    }
  }
}

std::vector<std::string> decoding_tasks() {
  std::vector<std::string> tasks = kDecoderTasks;
  tasks.insert(tasks.end(), kSpeechTasks.begin(), kSpeechTasks.end());
  return tasks;
}

INSTANTIATE_TEST_SUITE_P(, GoldenDecode, testing::ValuesIn(golden_cases(decoding_tasks())), test_name);

}  // namespace
}  // namespace braid::test
