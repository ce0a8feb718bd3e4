#include "tasks/generate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/json.h"
#include "support/kit.h"
#include "text/tokenizer.h"

namespace braid {
namespace {

const std::string kModel = "models/books-4m";

LoadOptions load_options(const std::string& device = "cpu") {
  LoadOptions options{.model = test::kit_path(kModel).value().string(), .device = device, .context = 256};
  options.rewrite.exact = true;
  return options;
}

/// Loaded once for all tests: they differ in what they ask of it.
LoadedModel& books() {
  static LoadedModel model = load_model(load_options());
  return model;
}

struct Reference {
  std::string prompt, text;
  std::vector<int32_t> input_ids, generated;
};

std::vector<Reference> references() {
  const JsonDocument document = JsonDocument::read((*test::kit_path(kModel) / "golden.json").string());
  const Json list = document.root().at("golden_fp32");
  std::vector<Reference> out;
  for (size_t i = 0; i < list.size(); ++i) {
    Reference r{.prompt = std::string(list[i].at("prompt").as_string()),
                .text = std::string(list[i].at("text").as_string()),
                .input_ids = {},
                .generated = {}};
    const Json ids = list[i].at("input_ids"), all = list[i].at("greedy_ids");
    for (size_t t = 0; t < all.size(); ++t)
      (t < ids.size() ? r.input_ids : r.generated).push_back(static_cast<int32_t>(all[t].as_int()));
    out.push_back(std::move(r));
  }
  return out;
}

TEST(Generate, WritesTheReferenceTextFromThePromptsText) {
  for (const Reference& r : references()) {
    std::string streamed;
    const GenerateResult result =
        generate(books(), {.prompt = r.prompt, .max_tokens = static_cast<int64_t>(r.generated.size())},
                 [&](std::string_view text) {
                   EXPECT_FALSE(text.empty());
                   streamed += text;
                   return true;
                 });
    EXPECT_EQ(prompt_ids(books(), {.prompt = r.prompt}), r.input_ids) << "one token begins the text";
    EXPECT_EQ(result.token_ids, r.generated) << r.prompt;
    EXPECT_EQ(r.prompt + result.text, r.text);
    EXPECT_EQ(streamed, result.text);
    EXPECT_EQ(result.prompt_tokens, static_cast<int64_t>(r.input_ids.size()));
    EXPECT_EQ(result.completion_tokens, static_cast<int64_t>(r.generated.size()));
  }
}

TEST(Generate, TheOracleWritesTheSame) {
  LoadedModel oracle = load_model(load_options("oracle"));
  const Reference r = references().front();
  const GenerateResult result = generate(oracle, {.prompt_ids = r.input_ids, .max_tokens = 16});
  EXPECT_EQ(result.token_ids, std::vector<int32_t>(r.generated.begin(), r.generated.begin() + 16));
}

TEST(Generate, ATextThatWasGivenAsIdsIsTakenAsItIs) {
  const GenerateResult result = generate(books(), {.prompt_ids = {{500}}, .max_tokens = 1});
  EXPECT_EQ(result.prompt_tokens, 1);
}

TEST(Generate, EndsBeforeAStopStringAndShowsNoPartOfIt) {
  const Reference r = references().front();
  const std::string whole = r.text.substr(r.prompt.size());
  // It lies across tokens, and occurs first where the text first has it.
  const std::string stop = whole.substr(whole.size() / 2 + 1, 7);
  const std::string before = whole.substr(0, whole.find(stop));
  std::string streamed;
  const GenerateResult result =
      generate(books(), {.prompt = r.prompt, .max_tokens = 80, .stop = {"never", stop}}, [&](std::string_view text) {
        streamed += text;
        EXPECT_TRUE(before.starts_with(streamed)) << streamed;
        return true;
      });
  EXPECT_EQ(result.text, before);
  EXPECT_EQ(streamed, before);
  EXPECT_EQ(result.finish_reason, FinishReason::stop);
  EXPECT_LT(result.completion_tokens, 80);
}

TEST(Generate, EndsAtTheEndOfSequenceTokenUnlessToldToIgnoreIt) {
  const Reference r = references().front();
  LoadedModel model = load_model(load_options());
  model.generation.eos_token_ids = {1, r.generated[5]};
  const GenerateResult ended = generate(model, {.prompt = r.prompt, .max_tokens = 20});
  EXPECT_EQ(ended.finish_reason, FinishReason::stop);
  EXPECT_EQ(ended.completion_tokens, 6) << "with the token that ended it";
  EXPECT_EQ(ended.text, model.need_tokenizer().decode(std::span(r.generated).first(5))) << "but without its text";
  const GenerateResult ignored = generate(model, {.prompt = r.prompt, .max_tokens = 20, .ignore_eos = true});
  EXPECT_EQ(ignored.finish_reason, FinishReason::length);
  EXPECT_EQ(ignored.completion_tokens, 20);
}

TEST(Generate, NeverWritesTheTokensThatTheModelSuppresses) {
  const Reference r = references().front();
  LoadedModel model = load_model(load_options());
  model.generation.suppress_tokens = {r.generated[2]};
  const GenerateResult result = generate(model, {.prompt = r.prompt, .max_tokens = 20});
  EXPECT_EQ(result.token_ids[1], r.generated[1]);
  EXPECT_EQ(std::ranges::count(result.token_ids, r.generated[2]), 0);
}

TEST(Generate, StopsWhenTheCallbackSaysSo) {
  int calls = 0;
  const GenerateResult result =
      generate(books(), {.prompt = "It was", .max_tokens = 50}, [&](std::string_view) { return ++calls < 3; });
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(result.finish_reason, FinishReason::cancelled);
  EXPECT_LT(result.completion_tokens, 50);
}

TEST(Generate, FillsTheContextAndNeverCutsAPrompt) {
  const std::vector<int32_t> prompt(250, 300);
  const GenerateResult result = generate(books(), {.prompt_ids = prompt, .ignore_eos = true});
  EXPECT_EQ(result.completion_tokens, 6) << "as many as 256 positions leave";
  EXPECT_EQ(result.finish_reason, FinishReason::length);
  const auto message = [&](std::vector<int32_t> ids, int64_t max_tokens) -> std::string {
    try {
      generate(books(), {.prompt_ids = std::move(ids), .max_tokens = max_tokens});
    } catch (const UsageError& error) {
      return error.line();
    }
    return "accepted";
  };
  EXPECT_EQ(message(prompt, 6), "accepted");
  EXPECT_NE(message(prompt, 7).find("give max_tokens of at most 6"), std::string::npos) << message(prompt, 7);
  EXPECT_NE(message(std::vector<int32_t>(256, 3), 0).find("at most 255 tokens"), std::string::npos);
  EXPECT_NE(message({}, 5).find("no tokens"), std::string::npos);
  EXPECT_NE(message({1}, -1).find("max_tokens"), std::string::npos);
  EXPECT_NE(message({4096}, 1).find("vocabulary of 4096"), std::string::npos);
}

TEST(Generate, ASeedMakesASampledTextRepeatable) {
  const auto text = [&](uint64_t seed) {
    return generate(books(), {.prompt = "The", .settings = {.temperature = 1}, .seed = seed, .max_tokens = 20}).text;
  };
  EXPECT_EQ(text(1), text(1));
  EXPECT_NE(text(1), text(2));
}

TEST(Generate, HonoursTheModelsSettingsAndPutsWhatIsAskedForOverThem) {
  const Reference r = references().front();
  LoadedModel model = load_model(load_options());
  model.generation.no_repeat_ngram_size = 1;
  model.generation.max_new_tokens = 12;
  const GenerateResult own = generate(model, {.prompt_ids = r.input_ids});
  EXPECT_EQ(own.completion_tokens, 12);
  std::vector<int32_t> all = r.input_ids;
  all.insert(all.end(), own.token_ids.begin(), own.token_ids.end());
  const std::set<int32_t> distinct(own.token_ids.begin(), own.token_ids.end());
  EXPECT_EQ(distinct.size(), own.token_ids.size()) << "no token comes twice";
  const GenerateResult asked =
      generate(model, {.prompt_ids = r.input_ids, .settings = {.no_repeat_ngram_size = 0}, .max_tokens = 20});
  EXPECT_EQ(asked.token_ids, std::vector<int32_t>(r.generated.begin(), r.generated.begin() + 20));
}

TEST(Generate, FindsBeamsThatDifferAndAreAsLikelyAsTheirScoresSay) {
  const Reference r = references().front();
  LoadOptions options = load_options();
  options.generation = GenerationConfig{.num_beams = 4, .num_return_sequences = 3};
  LoadedModel model = load_model(options);
  EXPECT_EQ(model.program->slots(), 4);
  int calls = 0;
  std::string shown;
  const GenerateResult beams =
      generate(model, {.prompt = r.prompt, .settings = *options.generation, .max_tokens = 16, .logprobs = 1},
               [&](std::string_view text) {
                 ++calls;
                 shown += text;
                 return true;
               });
  EXPECT_GT(calls, 10);
  EXPECT_EQ(shown, "");
  ASSERT_EQ(beams.others.size(), 2u);
  const auto sum = [](const GeneratedText& text) {
    double sum = 0;
    for (const TokenLogprob& l : text.logprobs) sum += l.logprob;
    return sum;
  };
  ASSERT_EQ(beams.token_ids.size(), 16u);
  EXPECT_NE(beams.token_ids, beams.others[0].token_ids);
  EXPECT_NEAR(*beams.score, sum(beams) / 16, 1e-5) << "the mean at a length penalty of 1";
  EXPECT_GE(*beams.score, *beams.others[0].score);
  EXPECT_GE(*beams.others[0].score, *beams.others[1].score);
  EXPECT_EQ(model.need_tokenizer().decode(beams.token_ids), beams.text);
  EXPECT_FALSE(beams.others[1].text.empty());
}

TEST(Generate, ABeamSearchCanBeStopped) {
  LoadOptions options = load_options();
  options.generation = GenerationConfig{.num_beams = 2};
  LoadedModel model = load_model(options);
  int calls = 0;
  const GenerateResult result = generate(model, {.prompt = "It was", .settings = *options.generation, .max_tokens = 60},
                                         [&](std::string_view) { return ++calls < 5; });
  EXPECT_EQ(result.finish_reason, FinishReason::cancelled);
  EXPECT_EQ(calls, 5);
}

TEST(Generate, GivesTheLogProbabilitiesOfPromptAndText) {
  const Reference r = references().front();
  LoadOptions options = load_options();
  options.rows = 64;
  options.step_tokens = 64;
  LoadedModel model = load_model(options);
  const std::vector<int32_t> text(r.generated.begin(), r.generated.begin() + 10);
  const GenerateResult written =
      generate(model, {.prompt_ids = r.input_ids, .max_tokens = 10, .logprobs = 3, .prompt_logprobs = 0});
  ASSERT_EQ(written.logprobs.size(), 10u);
  EXPECT_EQ(written.prompt_logprobs.size(), r.input_ids.size() - 1);
  for (size_t i = 0; i < 10; ++i) {
    const TokenLogprob& l = written.logprobs[i];
    ASSERT_EQ(l.top.size(), 3u);
    EXPECT_EQ(l.token, text[i]);
    EXPECT_EQ(l.top[0].token, text[i]) << "greedy takes the likeliest";
    EXPECT_EQ(l.top[0].logprob, l.logprob);
    EXPECT_GT(l.top[0].logprob, l.top[1].logprob);
  }
  // The same tokens as a prompt have the same log-probabilities, however it is cut into steps.
  std::vector<int32_t> all = r.input_ids;
  all.insert(all.end(), text.begin(), text.end());
  options.rows = options.step_tokens = 7;
  LoadedModel cut = load_model(options);
  const GenerateResult read = generate(cut, {.prompt_ids = all, .max_tokens = 1, .prompt_logprobs = 1});
  ASSERT_EQ(read.prompt_logprobs.size(), all.size() - 1);
  for (size_t i = 0; i < 10; ++i) {
    const TokenLogprob& l = read.prompt_logprobs[r.input_ids.size() - 1 + i];
    EXPECT_EQ(l.token, text[i]);
    EXPECT_EQ(l.logprob, written.logprobs[i].logprob);
  }
}

TEST(Generate, WritesSeveralTextsFromOnePrompt) {
  LoadOptions options = load_options();
  options.sequences = 3;
  LoadedModel model = load_model(options);
  const auto write = [&](uint64_t seed, int64_t count) {
    return generate(model, {.prompt = "The",
                            .settings = {.temperature = 1, .num_return_sequences = count},
                            .seed = seed,
                            .max_tokens = 12});
  };
  const GenerateResult three = write(5, 3);
  ASSERT_EQ(three.others.size(), 2u);
  EXPECT_EQ(three.text, write(5, 1).text);
  EXPECT_EQ(three.others[1].text, write(7, 1).text);
}

TEST(Generate, RefusesSettingsThatDoNotGoTogether) {
  LoadOptions options = load_options();
  options.sequences = 2;
  LoadedModel model = load_model(options);
  const auto field = [&](GenerateOptions o) -> std::string {
    o.prompt = "The";
    o.max_tokens = 2;
    try {
      generate(model, o);
    } catch (const UsageError& error) {
      return error.place().field;
    }
    return "accepted";
  };
  EXPECT_EQ(field({.settings = {.num_beams = 2}, .stop = {"x"}}), "stop");
  EXPECT_EQ(field({.settings = {.num_return_sequences = 2}}), "num_return_sequences");
  EXPECT_EQ(field({.settings = {.num_beams = 2, .num_return_sequences = 3}}), "num_return_sequences");
  EXPECT_EQ(field({.settings = {.num_beams = 3}}), "sequences") << "the program has room for two";
  EXPECT_EQ(field({.settings = {.num_beams = 2}}), "accepted");
}

TEST(Generate, TimesWhatItDoes) {
  const GenerateResult result = generate(books(), {.prompt = "It was a bright day", .max_tokens = 8});
  EXPECT_GT(result.timings.load_ms, 0);
  EXPECT_GT(result.timings.prefill_ms, 0);
  EXPECT_GT(result.timings.decode_ms, 0);
  EXPECT_DOUBLE_EQ(result.timings.prefill_tokens_per_s, 1000.0 * 6 / result.timings.prefill_ms);
  EXPECT_DOUBLE_EQ(result.timings.decode_tokens_per_s, 1000.0 * 7 / result.timings.decode_ms);
}

}  // namespace
}  // namespace braid
