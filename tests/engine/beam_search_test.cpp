#include "engine/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "engine/engine.h"
#include "engine/recorded.h"
#include "tasks/sources.h"

namespace braid {
namespace {

constexpr const char* kLlama = "golden/text/llama-gqa";

// ---- against transformers

struct Found {
  std::vector<Hypothesis> texts;
  std::string message;
};

Found search(Program& program, const std::vector<int32_t>& prompt, const DecodingOptions& decoding, int64_t max_tokens,
             const Tensor& source = {}) {
  Engine engine(program);
  Found found;
  GenerateRequest request{.prompt = prompt, .decoding = decoding, .max_tokens = max_tokens, .source = source};
  engine.submit(std::move(request), [&](const TokenEvent& event) {
    EXPECT_TRUE(event.over) << "a beam search speaks once";
    found.texts = event.found;
    found.message = event.message;
    return true;
  });
  engine.run();
  EXPECT_EQ(engine.scheduler().free_slots(), static_cast<size_t>(program.slots()));
  return found;
}

class RecordedBeams : public testing::TestWithParam<std::tuple<std::string, std::string>> {};
INSTANTIATE_TEST_SUITE_P(Models, RecordedBeams,
                         testing::Combine(testing::Values("oracle", "cpu"), testing::Values("llama-gqa", "gpt2", "t5")),
                         [](const auto& info) {
                           std::string name = std::get<0>(info.param) + "_" + std::get<1>(info.param);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(RecordedBeams, FindTheTextsAndScoresOfTheReference) {
  const auto& [device, model] = GetParam();
  const std::string file = std::string(test::kRecorded) + "beams.json", folder = "golden/text/" + model;
  if (!test::kit_path(file)) GTEST_SKIP() << test::kit_missing(file);
  if (!test::kit_path(folder)) GTEST_SKIP() << test::kit_missing(folder);
  LoadOptions options = test::exact_options(folder, device);
  options.sequences = 8;
  options.context = model == "gpt2" ? 64 : 128;
  const LoadedModel loaded = load_model(options);
  const JsonDocument document = JsonDocument::read(test::kit_path(file)->string());
  const Json cases = document.root().at("cases");
  size_t tried = 0;
  for (size_t n = 0; n < cases.size(); ++n) {
    const Json c = cases[n];
    if (c.at("model").as_string() != model) continue;
    const Json given = c.at("options");
    const auto seed = given.find("seed");
    if (device == "oracle" && given.at("num_beams").as_int() > 4) continue;  // it takes long and shows no more
    SCOPED_TRACE("case " + std::to_string(n));
    const GenerationConfig settings = test::recorded_settings(given);
    DecodingOptions decoding = decoding_options(settings, seed ? seed->as_uint() : 0);
    decoding.sampling.ends = test::ids_of(c.at("ends"));
    std::vector<int32_t> prompt = test::ids_of(c.at("prompt"));
    Tensor source;
    if (loaded.program->has_entry("encode")) {  // it reads the prompt; what the decoder begins with, the config names
      source = Tensor::of({std::ssize(prompt)}, std::span<const int32_t>(prompt));
      prompt = {static_cast<int32_t>(loaded.generation.decoder_start_token_id.value())};
    }
    const Found found = search(*loaded.program, prompt, decoding, *settings.max_new_tokens, source);
    EXPECT_EQ(found.message, "");
    const auto sequences = test::lists_of(c.at("sequences"));
    ASSERT_EQ(found.texts.size(), sequences.size());
    for (size_t i = 0; i < sequences.size(); ++i) {
      EXPECT_EQ(found.texts[i].tokens, sequences[i]) << i;
      // Logits within 1e-5 of their norm, at most 70 of them summed up.
      EXPECT_NEAR(found.texts[i].score, c.at("scores")[i].as_double(),
                  1e-4 * std::abs(c.at("scores")[i].as_double()) + 1e-5);
    }
    ++tried;
  }
  EXPECT_GE(tried, 10u);
}

// ---- in batches

class Beams : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Models, Beams, testing::Values("llama-gqa", "mamba", "mixtral"), [](const auto& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

DecodingOptions three_beams() {
  return {.sampling = {.no_repeat_ngram_size = 3}, .sequences = 3, .beams = 3, .logprobs = 0};
}

bool same(const std::vector<Hypothesis>& a, const std::vector<Hypothesis>& b) {
  return std::ranges::equal(a, b, [](const Hypothesis& x, const Hypothesis& y) {
    return x.tokens == y.tokens && x.score == y.score;  // to the bit
  });
}

TEST_P(Beams, AreBitwiseTheSameAloneInABatchCutIntoStepsAndPreempted) {
  const std::string folder = "golden/text/" + GetParam();
  if (!test::kit_path(folder)) GTEST_SKIP() << test::kit_missing(folder);
  LoadOptions options = test::exact_options(folder, "cpu");
  options.context = 128;
  options.sequences = 3;
  const auto prompt = [](int i) {
    std::vector<int32_t> ids;
    for (int t = 0; t < 20 + 15 * i; ++t) ids.push_back((31 * t + 17 * i + 3) % 200);
    return ids;
  };
  std::vector<std::vector<Hypothesis>> alone;
  const LoadedModel one = load_model(options);
  for (int i = 0; i < 3; ++i) alone.push_back(search(*one.program, prompt(i), three_beams(), 30).texts);
  for (const auto& texts : alone) {
    ASSERT_EQ(texts.size(), 3u);
    EXPECT_NE(texts[0].tokens, texts[1].tokens);
    EXPECT_EQ(texts[0].logprobs.size(), texts[0].tokens.size());
  }

  for (const bool tight : {false, true}) {
    SCOPED_TRACE(tight ? "small steps, few pages" : "one batch");
    options.sequences = 10;
    options.step_tokens = tight ? 11 : 512;
    LoadedModel loaded = load_model(options);
    ProgramOptions wanted = loaded.program->options();
    if (tight) wanted.pages = 7;  // a request needs six at its end
    Program program(loaded.program->model(), make_backend(options),
                    std::make_shared<CheckpointSource>(loaded.checkpoint), wanted);
    Engine engine(program);
    const size_t pages = engine.scheduler().free_pages();
    std::vector<std::vector<Hypothesis>> together(3);
    std::vector<int32_t> between;
    for (int i = 0; i < 3; ++i) {
      engine.submit({.prompt = prompt(i), .decoding = three_beams(), .max_tokens = 30}, [&, i](const TokenEvent& e) {
        together[static_cast<size_t>(i)] = e.found;
        return true;
      });
      engine.submit({.prompt = {5, 6}, .max_tokens = 4}, [&](const TokenEvent& e) {
        if (e.has_token) between.push_back(e.token);
        return true;
      });
      engine.step();
    }
    engine.run();
    for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(same(alone[i], together[i])) << i;
    EXPECT_EQ(between.size(), 12u);
    EXPECT_EQ(engine.scheduler().free_pages(), pages);
    EXPECT_EQ(engine.scheduler().preemptions() > 0, tight && GetParam() != "mamba");
  }
}

TEST(SeveralDraws, AreThoseOfTheFollowingSeedsAlone) {
  if (!test::kit_path(kLlama)) GTEST_SKIP() << test::kit_missing(kLlama);
  LoadOptions options = test::exact_options(kLlama, "cpu");
  options.sequences = 4;
  const LoadedModel loaded = load_model(options);
  const std::vector<int32_t> prompt{4, 8, 15, 16, 23, 42}, ends{1, 2, 3, 5, 7, 11, 13, 17, 19, 29};
  const auto texts_of = [&](uint64_t seed, int64_t count) {
    std::vector<std::vector<int32_t>> texts(static_cast<size_t>(count));
    std::vector<FinishReason> reasons(texts.size());
    Engine engine(*loaded.program);
    bool over = false;
    engine.submit({.prompt = prompt,
                   .decoding = {.sampling = {.temperature = 1.5, .seed = seed, .ends = ends}, .sequences = count},
                   .max_tokens = 25},
                  [&](const TokenEvent& e) {
                    EXPECT_FALSE(over);
                    over = e.over;
                    if (e.has_token) texts[static_cast<size_t>(e.text)].push_back(e.token);
                    reasons[static_cast<size_t>(e.text)] = e.finished;
                    return true;
                  });
    engine.run();
    EXPECT_TRUE(over);
    for (size_t i = 0; i < texts.size(); ++i)
      EXPECT_EQ(reasons[i], texts[i].size() == 25 && std::ranges::find(ends, texts[i].back()) == ends.end()
                                ? FinishReason::length
                                : FinishReason::stop);
    EXPECT_EQ(engine.scheduler().free_slots(), 4u);
    return texts;
  };
  const auto four = texts_of(7, 4);
  for (uint64_t i = 0; i < 4; ++i) EXPECT_EQ(four[i], texts_of(7 + i, 1)[0]) << i;
  EXPECT_NE(four[0], four[1]);
}

TEST(SeveralDraws, EndOneByOneWhenTheirReaderSaysSo) {
  if (!test::kit_path(kLlama)) GTEST_SKIP() << test::kit_missing(kLlama);
  LoadOptions options = test::exact_options(kLlama, "cpu");
  options.sequences = 3;
  const LoadedModel loaded = load_model(options);
  Engine engine(*loaded.program);
  std::vector<int> tokens(3);
  engine.submit({.prompt = {1, 2}, .decoding = {.sampling = {.temperature = 1}, .sequences = 3}, .max_tokens = 40},
                [&](const TokenEvent& e) { return ++tokens[static_cast<size_t>(e.text)] < 2 + 3 * e.text; });
  engine.run();
  EXPECT_EQ(tokens, (std::vector<int>{2, 5, 8}));
  EXPECT_EQ(engine.scheduler().free_slots(), 3u);
}

// ---- the search alone

/// A row of log-probabilities over four tokens.
std::vector<float> row_of(std::vector<double> p) {
  std::vector<float> row;
  for (const double x : p) row.push_back(static_cast<float>(std::log(x)));
  return row;
}

struct Step {
  std::vector<std::vector<float>> rows;
  std::vector<std::vector<int32_t>> tokens;
  std::vector<DecodingRow> view(size_t last) const {
    std::vector<DecodingRow> out;
    for (size_t i = 0; i < rows.size(); ++i)
      out.push_back({rows[i], {.tokens = tokens[i], .prompt = 1, .last = last, .source = {}}});
    return out;
  }
};

TEST(BeamSearch, KeepsTheBestSumsAndFollowsTheirParents) {
  BeamSearch search({.sequences = 2, .beams = 2});
  const Step first{{row_of({0.5, 0.3, 0.15, 0.05})}, {{9}}};
  EXPECT_EQ(search.advance(first.view(10)).next, (std::vector<Branch>{{0, 0}, {0, 1}}));
  // 0.5 · 0.4 = 0.2 and 0.5 · 0.3 = 0.15 lie behind 0.3 · 0.8 = 0.24.
  const Step second{{row_of({0.4, 0.3, 0.2, 0.1}), row_of({0.1, 0.05, 0.05, 0.8})}, {{9, 0}, {9, 1}}};
  EXPECT_EQ(search.advance(second.view(10)).next, (std::vector<Branch>{{1, 3}, {0, 0}}));
}

TEST(BeamSearch, EndsWhenNothingThatRunsCanDisplaceWhatIsFinished) {
  BeamSearch search({.sampling = {.ends = {0}}, .sequences = 1, .beams = 2});
  const Step first{{row_of({0.6, 0.3, 0.05, 0.05})}, {{9}}};
  ASSERT_EQ(search.advance(first.view(10)).next, (std::vector<Branch>{{0, 1}, {0, 2}}));
  const Step second{{row_of({0.97, 0.01, 0.01, 0.01}), row_of({0.01, 0.33, 0.33, 0.33})}, {{9, 1}, {9, 2}}};
  EXPECT_TRUE(search.advance(second.view(10)).next.empty());
  const std::vector<Hypothesis> found = search.found();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].tokens, std::vector<int32_t>{0});
  EXPECT_EQ(found[0].finished, FinishReason::stop);
  EXPECT_NEAR(found[0].score, std::log(0.6), 1e-6);
}

TEST(BeamSearch, TheLengthPenaltyDecidesBetweenShortAndLong) {
  const auto best = [](double penalty) {
    BeamSearch search({.sampling = {.ends = {0}},
                       .sequences = 1,
                       .beams = 2,
                       .length_penalty = penalty,
                       .early_stopping = EarlyStopping::never});
    search.advance(Step{{row_of({0.4, 0.6, 1e-9, 1e-9})}, {{9}}}.view(3));
    search.advance(Step{{row_of({0.6, 0.4, 1e-9, 1e-9}), row_of({0.25, 0.25, 0.25, 0.25})}, {{9, 1}, {9, 2}}}.view(3));
    return search.found().front().tokens.size();
  };
  EXPECT_EQ(best(0), 1u) << "0.4 against 0.36";
  EXPECT_EQ(best(1), 2u) << "0.4 against the square root of 0.36";
}

TEST(BeamSearch, SaysThatNoTokenIsLeft) {
  BeamSearch search({.sampling = {.suppress = {0, 1, 2, 3}}, .sequences = 1, .beams = 2});
  EXPECT_THROW(search.advance(Step{{row_of({0.4, 0.3, 0.2, 0.1})}, {{9}}}.view(5)), Error);
  BeamSearch broken({.sequences = 1, .beams = 2});
  EXPECT_THROW(broken.advance(Step{{{1, NAN, 2, 3}}, {{9}}}.view(5)), Error);
}

TEST(DecodingOptions, NamesWhatDoesNotGoTogether) {
  const auto field = [](const DecodingOptions& options) -> std::string {
    try {
      make_decoding(options);
    } catch (const UsageError& error) {
      return error.place().field;
    }
    return "accepted";
  };
  EXPECT_EQ(field({.sequences = 2}), "num_return_sequences") << "greedy";
  EXPECT_EQ(field({.sampling = {.temperature = 1}, .sequences = 2}), "accepted");
  EXPECT_EQ(field({.sequences = 3, .beams = 2}), "num_return_sequences");
  EXPECT_EQ(field({.beams = 0}), "num_beams");
  EXPECT_EQ(field({.sequences = 0}), "num_return_sequences");
  EXPECT_EQ(field({.beams = 2, .length_penalty = NAN}), "length_penalty");
  EXPECT_EQ(field({.logprobs = -2}), "logprobs");
  EXPECT_EQ(field({.sampling = {.top_p = 3}, .beams = 2}), "top_p");
}

}  // namespace
}  // namespace braid
