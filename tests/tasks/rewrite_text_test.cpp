// Translations and summaries against what transformers' generate gave (tests/tasks/make_cases.py).

#include "tasks/rewrite_text.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/json.h"
#include "support/kit.h"

namespace braid::test {
namespace {

constexpr const char* kModel = "data/tasks/text-to-text";

std::string folder() {
  const auto path = kit_path(kModel);
  if (!path) throw std::runtime_error(kit_missing(kModel));
  return path->string();
}

std::vector<std::string> texts_of(const JsonDocument& expected) {
  std::vector<std::string> texts;
  const Json inputs = expected.root().at("inputs");
  for (size_t i = 0; i < inputs.size(); ++i) texts.emplace_back(inputs[i].as_string());
  return texts;
}

std::vector<std::vector<GeneratedText>> rewritten(const std::vector<std::string>& texts, const TextToText& how) {
  LoadedModel model =
      load_model(rewriting_options({.model = folder(), .device = "cpu", .rewrite = {.exact = true}}, how, texts));
  return rewrite_texts(model, texts, how);
}

class Rewriting : public testing::TestWithParam<std::string> {};

TEST_P(Rewriting, GivesTheTokensOfTheTasksSettings) {
  const JsonDocument expected = JsonDocument::read(folder() + "/expected.json");
  const std::vector<std::string> texts = texts_of(expected);
  const Json results = expected.root().at("results").at(GetParam());
  const auto ours = rewritten(texts, text_to_text(folder(), GetParam()));
  ASSERT_EQ(ours.size(), results.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    std::vector<int32_t> tokens;
    for (size_t t = 0; t < results[i].size(); ++t) tokens.push_back(static_cast<int32_t>(results[i][t].as_int()));
    ASSERT_EQ(ours[i].size(), 1u);
    EXPECT_EQ(ours[i][0].token_ids, tokens) << texts[i];
    EXPECT_FALSE(ours[i][0].text.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(, Rewriting,
                         testing::Values(std::string(kSummarization), translation_task("en", "de"),
                                         translation_task("en", "fr")),
                         [](const auto& info) { return info.param; });

TEST(RewriteTexts, GivesTheSameToTheBitAloneAndAmongOthers) {
  const JsonDocument expected = JsonDocument::read(folder() + "/expected.json");
  const std::vector<std::string> texts = texts_of(expected);
  const TextToText how = text_to_text(folder(), kSummarization);
  const auto together = rewritten(texts, how);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto alone = rewritten({texts[i]}, how);
    EXPECT_EQ(alone[0][0].token_ids, together[i][0].token_ids);
    EXPECT_EQ(alone[0][0].score, together[i][0].score);
  }
}

TEST(RewriteTexts, PutsWhatIsAskedForOverTheTask) {
  TextToText how = text_to_text(folder(), kSummarization);
  EXPECT_EQ(how.prefix, "a short letter: ");
  how.settings.num_return_sequences = 3;
  how.settings.max_new_tokens = 7;
  const auto three = rewritten({"a ship"}, how);
  ASSERT_EQ(three[0].size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_LE(three[0][i].token_ids.size(), 7u);
  EXPECT_GE(three[0][0].score.value(), three[0][1].score.value());
  EXPECT_NE(three[0][0].token_ids, three[0][1].token_ids);
}

TEST(RewriteTexts, RefusesATextThatIsLongerThanTheContext) {
  const TextToText how = text_to_text(folder(), kSummarization);
  std::string text;
  for (int i = 0; i < 80; ++i) text += "ship ";
  const std::vector<std::string> texts{text};
  LoadedModel model = load_model(rewriting_options({.model = folder(), .device = "cpu", .context = 32}, how, texts));
  try {
    rewrite_texts(model, texts, how);
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_NE(error.line().find("32"), std::string::npos) << error.line();
  }
}

TEST(TextToTextTask, ThatTheModelDoesNotHaveIsRefusedWithThoseThatItHas) {
  try {
    text_to_text(folder(), translation_task("en", "ro"));
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_NE(error.line().find("translation_en_to_ro"), std::string::npos) << error.line();
    EXPECT_NE(error.line().find("translation_en_to_fr"), std::string::npos) << error.line();
    EXPECT_NE(error.line().find("task_specific_params"), std::string::npos) << error.line();
  }
}

}  // namespace
}  // namespace braid::test
