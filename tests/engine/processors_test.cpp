// Processors and warpers against rows that transformers computed (tests/kit/data/generation/make.py).

#include "engine/processors/processors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "engine/recorded.h"
#include "engine/sampler.h"

namespace braid {
namespace {

using test::ids_of;

/// A row after processors and, where tokens are drawn, warpers: -inf for what is gone.
std::vector<double> scores_of(const SamplingOptions& options, const TokenHistory& history, size_t least,
                              const std::vector<float>& row) {
  Sampler sampler(options);
  const std::span<const float> processed = sampler.processed(row, history);
  if (sampler.greedy()) return {processed.begin(), processed.end()};
  std::vector<double> scores(row.size(), -INFINITY);
  for (const Candidate& c : sampler.candidates(processed, least)) scores[static_cast<size_t>(c.id)] = c.logit;
  return scores;
}

TEST(Processors, GiveTheScoresOfTheReference) {
  const std::string file = std::string(test::kRecorded) + "processors.json";
  if (!test::kit_path(file)) GTEST_SKIP() << test::kit_missing(file);
  const JsonDocument document = JsonDocument::read(test::kit_path(file)->string());
  const std::vector<int32_t> ends = ids_of(document.root().at("eos"));
  std::vector<std::vector<float>> rows;
  const Json all_rows = document.root().at("rows");
  for (size_t r = 0; r < all_rows.size(); ++r) {
    rows.emplace_back();
    for (size_t i = 0; i < all_rows[r].size(); ++i)
      rows.back().push_back(static_cast<float>(all_rows[r][i].as_double()));
  }
  const Json cases = document.root().at("cases");
  ASSERT_GT(cases.size(), 60u);
  std::set<std::string> changed;
  for (size_t n = 0; n < cases.size(); ++n) {
    const Json c = cases[n];
    SCOPED_TRACE(std::string(c.at("name").as_string()) + ", row " + std::to_string(c.at("row").as_int()));
    const GenerationConfig settings = test::recorded_settings(c.at("options"));
    DecodingOptions decoding = decoding_options(settings, 0);
    if (c.at("sample").as_bool() && decoding.sampling.temperature == 0) decoding.sampling.temperature = 1;
    decoding.sampling.ends = ends;
    const std::vector<int32_t> prompt = ids_of(c.at("prompt")), generated = ids_of(c.at("generated"));
    std::vector<int32_t> tokens = prompt;
    tokens.insert(tokens.end(), generated.begin(), generated.end());
    const TokenHistory history{.tokens = tokens,
                               .prompt = prompt.size(),
                               .last = static_cast<size_t>(settings.max_length.value_or(1000)),
                               .source = prompt};
    const size_t least = decoding.beams > 1 ? ends.size() + 1 : 1;
    const std::vector<float>& row = rows[static_cast<size_t>(c.at("row").as_int())];
    const std::vector<double> ours = scores_of(decoding.sampling, history, least, row);
    const Json theirs = c.at("scores");
    ASSERT_EQ(ours.size(), theirs.size());
    for (size_t i = 0; i < ours.size(); ++i) {
      if (theirs[i].is_null()) {
        EXPECT_EQ(ours[i], -INFINITY) << i;
      } else {  // a few f32 operations, and eight digits in the file
        const double wanted = theirs[i].as_double();
        EXPECT_NEAR(ours[i], wanted, 4e-7 * std::abs(wanted)) << i;
      }
      if (theirs[i].is_null() || std::abs(theirs[i].as_double() - row[i]) > 1e-4)
        changed.insert(std::string(c.at("name").as_string()));
    }
  }
  EXPECT_GT(changed.size(), 28u) << "most settings do something to their row";
}

TEST(Processors, FrequencyAndPresencePenaltiesCountWhatWasGenerated) {
  const std::vector<int32_t> tokens{0, 1, 2, 2, 3, 2};
  const TokenHistory history{.tokens = tokens, .prompt = 2};
  Sampler sampler({.frequency_penalty = 0.5, .presence_penalty = 0.25});
  const std::vector<float> row(5, 1.0f);
  const std::span<const float> out = sampler.processed(row, history);
  EXPECT_EQ((std::vector<float>(out.begin(), out.end())), (std::vector<float>{1, 1, 1 - 1.5f - 0.25f, 0.25f, 1}))
      << "three times 2, once 3; the prompt does not count";
}

TEST(Processors, IdsOutsideTheVocabularyAreIgnored) {
  const std::vector<int32_t> tokens{-1, 77, 1, 77};
  Sampler sampler({.sequence_bias = {{{99}, 1}},
                   .encoder_repetition_penalty = 2,
                   .repetition_penalty = 2,
                   .frequency_penalty = 1,
                   .no_repeat_ngram_size = 1,
                   .bad_words = {{-5}},
                   .forced_eos = {99, 0},
                   .suppress = {-1, 50},
                   .ends = {123}});
  const std::vector<float> row(3, 1.0f);
  EXPECT_NO_THROW(sampler.processed(row, {.tokens = tokens, .prompt = 1, .last = 5, .source = tokens}));
}

TEST(Processors, StandInTheOrderOfTransformers) {
  std::vector<std::string_view> names;
  for (const Processor* p : all_processors()) names.push_back(p->name);
  EXPECT_EQ(names, (std::vector<std::string_view>{
                       "sequence_bias", "encoder_repetition_penalty", "repetition_penalty", "frequency_penalty",
                       "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "min_length",
                       "min_new_tokens", "forced_bos_token_id", "forced_eos_token_id",
                       "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens"}));
  names.clear();
  for (const Warper* w : all_warpers()) names.push_back(w->name);
  EXPECT_EQ(names, (std::vector<std::string_view>{"temperature", "top_h", "top_k", "top_p", "min_p", "typical_p",
                                                  "epsilon_cutoff", "eta_cutoff"}));
}

}  // namespace
}  // namespace braid
