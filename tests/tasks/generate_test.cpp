#include "tasks/generate.h"

#include <gtest/gtest.h>

#include <algorithm>

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
