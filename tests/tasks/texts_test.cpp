// The tasks on texts against what transformers' pipelines answered (tests/tasks/make_cases.py).

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/json.h"
#include "support/kit.h"
#include "tasks/answer.h"
#include "tasks/classify.h"
#include "tasks/embed.h"
#include "tasks/fill_mask.h"
#include "tasks/ner.h"

namespace braid::test {
namespace {

constexpr double kScore = 2e-5;  // of probabilities: a forward pass in f32, then softmax

class Case {
 public:
  explicit Case(const std::string& name, int64_t rows = 1, Purpose purpose = Purpose::own)
      : folder_(folder_of(name)), expected_(JsonDocument::read(folder_ + "/expected.json")) {
    LoadOptions options = text_options({.model = folder_, .rewrite = {.exact = true}}, rows);
    options.purpose = purpose;
    model_.emplace(load_model(options));
  }
  LoadedModel& model() { return *model_; }
  Json inputs() const { return expected_.root().at("inputs"); }
  Json results() const { return expected_.root().at("results"); }

 private:
  static std::string folder_of(const std::string& name) {
    const auto folder = kit_path("data/tasks/" + name);
    if (!folder) throw std::runtime_error(kit_missing("data/tasks/" + name));
    return folder->string();
  }
  std::string folder_;
  JsonDocument expected_;
  std::optional<LoadedModel> model_;
};

std::vector<std::string> strings(const Json& list) {
  std::vector<std::string> all;
  for (size_t i = 0; i < list.size(); ++i) all.emplace_back(list[i].as_string());
  return all;
}

class Classifying : public testing::TestWithParam<std::string> {};

TEST_P(Classifying, GivesThePipelinesLabelsAndScores) {
  Case c(GetParam());
  const auto results = classify(c.model(), strings(c.inputs()), {.top_k = 0});
  ASSERT_EQ(results.size(), c.results().size());
  for (size_t t = 0; t < results.size(); ++t) {
    ASSERT_EQ(results[t].size(), c.results()[t].size());
    for (size_t l = 0; l < results[t].size(); ++l) {
      EXPECT_EQ(results[t][l].name, c.results()[t][l].at("label").as_string());
      EXPECT_NEAR(results[t][l].score, c.results()[t][l].at("score").as_double(), kScore);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, Classifying, testing::Values("classify", "classify-multi"),
                         [](const auto& info) { return info.param == "classify" ? "OneLabel" : "SeveralLabels"; });

TEST(Classify, GivesTheSameAloneAndAmongOthers) {
  Case c("classify");
  const std::vector<std::string> texts = strings(c.inputs());
  const auto together = classify(c.model(), texts);
  for (size_t t = 0; t < texts.size(); ++t) {
    const auto alone = classify(c.model(), {&texts[t], 1});
    EXPECT_EQ(alone[0][0].name, together[t][0].name);
    EXPECT_EQ(alone[0][0].score, together[t][0].score) << "bit by bit";
  }
}

TEST(Classify, RefusesATextThatIsTooLongWithBothNumbers) {
  Case c("classify");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "ship ";
  try {
    classify(c.model(), {&text, 1});
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_NE(error.line().find("102 tokens"), std::string::npos) << error.line();
    EXPECT_NE(error.line().find("96"), std::string::npos) << error.line();
  }
}

TEST(FindEntities, GroupsTokensAsThePipelineDoes) {
  Case c("ner");
  const auto results = find_entities(c.model(), strings(c.inputs()));
  ASSERT_EQ(results.size(), c.results().size());
  size_t found = 0;
  for (size_t t = 0; t < results.size(); ++t) {
    ASSERT_EQ(results[t].size(), c.results()[t].size()) << "text " << t;
    for (size_t e = 0; e < results[t].size(); ++e, ++found) {
      const Json expected = c.results()[t][e];
      EXPECT_EQ(results[t][e].group, expected.at("entity_group").as_string());
      EXPECT_EQ(results[t][e].start, expected.at("start").as_int());
      EXPECT_EQ(results[t][e].end, expected.at("end").as_int());
      EXPECT_EQ(results[t][e].word, expected.at("word").as_string());
      EXPECT_NEAR(results[t][e].score, expected.at("score").as_double(), kScore);
    }
  }
  EXPECT_GT(found, 10u);
}

TEST(FillMasks, GivesThePipelinesTokensForEachMask) {
  Case c("fill-mask", 8);
  const auto results = fill_masks(c.model(), strings(c.inputs()), 4);
  const auto same = [](const std::vector<Filling>& ours, const Json& expected) {
    ASSERT_EQ(ours.size(), expected.size());
    for (size_t i = 0; i < ours.size(); ++i) {
      EXPECT_EQ(ours[i].token, expected[i].at("token").as_int());
      EXPECT_EQ(ours[i].token_text, expected[i].at("token_str").as_string());
      EXPECT_EQ(ours[i].sequence, expected[i].at("sequence").as_string());
      EXPECT_NEAR(ours[i].score, expected[i].at("score").as_double(), kScore);
    }
  };
  ASSERT_EQ(results.size(), 2u);
  ASSERT_EQ(results[0].size(), 1u);
  same(results[0][0], c.results()[0]);  // for one mask the pipeline gives a flat list
  ASSERT_EQ(results[1].size(), 2u);
  for (size_t m = 0; m < 2; ++m) same(results[1][m], c.results()[1][m]);
}

TEST(FillMasks, RefusesATextWithoutAMaskAndNamesIt) {
  Case c("fill-mask", 8);
  const std::string text = "nothing is missing";
  try {
    fill_masks(c.model(), {&text, 1});
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_NE(error.line().find("[MASK]"), std::string::npos) << error.line();
  }
}

TEST(Rerank, OrdersDocumentsByTheCrossEncodersScores) {
  Case c("rerank");
  const std::vector<std::string> documents = strings(c.inputs().at("documents"));
  const auto ranked = rerank(c.model(), std::string(c.inputs().at("query").as_string()), documents);
  ASSERT_EQ(ranked.size(), documents.size());
  for (size_t i = 0; i < ranked.size(); ++i) {
    EXPECT_NEAR(ranked[i].score, c.results()[ranked[i].index].as_double(), kScore);
    if (i > 0) {
      EXPECT_GE(ranked[i - 1].score, ranked[i].score);
    }
  }
}

TEST(Rerank, CutsDocumentsThatAreTooLong) {
  Case c("rerank");
  std::string text;
  for (int i = 0; i < 300; ++i) text += "river ";
  EXPECT_EQ(rerank(c.model(), "where is the ship?", {&text, 1}).size(), 1u);
}

TEST(FindAnswers, GivesTheBestSpanOfTheContext) {
  Case c("answer");
  const std::string context(c.inputs().at("context").as_string());
  const auto answers =
      find_answers(c.model(), std::string(c.inputs().at("question").as_string()), context, {.top_k = 3});
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].start, c.results().at("start").as_int());
  EXPECT_EQ(answers[0].end, c.results().at("end").as_int());
  EXPECT_NEAR(answers[0].score, c.results().at("score").as_double(), kScore);
  EXPECT_EQ(answers[0].text, characters(context, answers[0].start, answers[0].end));
  EXPECT_GE(answers[0].score, answers[1].score);
}

TEST(FindAnswers, ReadsLongContextsInWindows) {
  Case c("answer");
  std::string context;
  for (int i = 0; i < 200; ++i) context += "the captain lost a letter. ";
  const auto answers = find_answers(c.model(), "Who lost a letter?", context, {.top_k = 5});
  ASSERT_EQ(answers.size(), 5u);
  for (const Answer& a : answers) EXPECT_LE(a.end, std::ssize(context));
}

class Embedding : public testing::TestWithParam<std::string> {};

TEST_P(Embedding, IsWhatSentenceTransformersFilesSay) {
  Case c(GetParam(), 1, Purpose::features);
  const auto vectors = embed(c.model(), strings(c.inputs()), embed_options(c.model()));
  ASSERT_EQ(vectors.size(), c.results().size());
  for (size_t t = 0; t < vectors.size(); ++t) {
    ASSERT_EQ(vectors[t].size(), c.results()[t].size());
    for (size_t d = 0; d < vectors[t].size(); ++d)
      EXPECT_NEAR(vectors[t][d], c.results()[t][d].as_double(), 2e-5 * (1 + std::abs(c.results()[t][d].as_double())))
          << "text " << t << ", dimension " << d;
  }
}

INSTANTIATE_TEST_SUITE_P(, Embedding, testing::Values("embed", "embed-all"), [](const auto& info) {
  return info.param == "embed" ? "MeanCutAndNormalised" : "EveryPooling";
});

/// The modules of a case laid beside another one's model.
void assemble(const TempDirectory& to, const std::filesystem::path& model, const std::string& modules) {
  const auto folder = kit_path("data/tasks/" + modules), tokenizer = kit_path("data/tasks/embed/tokenizer.json");
  ASSERT_TRUE(folder && tokenizer) << kit_missing("data/tasks/" + modules);
  for (const char* file : {"config.json", "model.safetensors"}) std::filesystem::copy(model / file, to / file);
  std::filesystem::copy(*tokenizer, to / "tokenizer.json");
  std::filesystem::copy(*folder, to / "", std::filesystem::copy_options::recursive);
}

TEST(EmbeddingModules, GoThroughDenseLayersAfterThePooling) {
  for (const auto& [modules, model] :
       {std::pair("embed-dense", "data/tasks/embed"), std::pair("embed-last", "golden/text/qwen3-base")}) {
    SCOPED_TRACE(modules);
    const auto folder = kit_path(model);
    ASSERT_TRUE(folder) << kit_missing(model);
    const TempDirectory temporary;
    ASSERT_NO_FATAL_FAILURE(assemble(temporary, *folder, modules));
    LoadOptions options = text_options({.model = (temporary / "").string(), .rewrite = {.exact = true}});
    options.purpose = Purpose::features;
    LoadedModel loaded = load_model(options);
    const JsonDocument expected = JsonDocument::read((temporary / "expected.json").string());
    const Json results = expected.root().at("results");
    const auto vectors = embed(loaded, strings(expected.root().at("inputs")), embed_options(loaded));
    ASSERT_EQ(vectors.size(), results.size());
    for (size_t t = 0; t < vectors.size(); ++t) {
      ASSERT_EQ(vectors[t].size(), 7u);
      for (size_t d = 0; d < 7; ++d) EXPECT_NEAR(vectors[t][d], results[t][d].as_double(), 2e-5) << t << ", " << d;
    }
  }
}

TEST(EmbedOptions, NameWhatIsWrongWithADenseModule) {
  const TempDirectory temporary;
  ASSERT_NO_FATAL_FAILURE(assemble(temporary, kit_path("data/tasks/embed").value(), "embed-dense"));
  LoadOptions options = text_options({.model = (temporary / "").string()});
  options.purpose = Purpose::features;
  const LoadedModel model = load_model(options);
  const auto fails_with = [&](const std::string& config, const std::string& what) {
    std::ofstream(temporary / "2_Dense/config.json", std::ios::trunc) << config;
    try {
      embed_options(model);
      ADD_FAILURE() << "accepted: " << config;
    } catch (const Error& error) {
      EXPECT_NE(error.line().find(what), std::string::npos) << error.line();
    }
  };
  fails_with(R"({"in_features": 32, "out_features": 21, "activation_function": "torch.nn.modules.activation.Tanh"})",
             "linear.weight");
  fails_with(R"({"in_features": 32, "out_features": 20, "activation_function": "torch.nn.modules.activation.Mish"})",
             "Mish");
  fails_with(R"({"out_features": 20})", "in_features");
}

TEST(EmbedOptions, AreThoseOfTheFilesBesideTheModel) {
  Case c("embed", 1, Purpose::features);
  const EmbedOptions options = embed_options(c.model());
  EXPECT_EQ(options.pooling, std::vector{Pooling::mean});
  EXPECT_TRUE(options.normalise);
  EXPECT_EQ(options.max_tokens, 12);
}

TEST(EmbedOptions, RefuseAModuleThatIsNotKnown) {
  const auto folder = kit_path("data/tasks/embed");
  ASSERT_TRUE(folder) << kit_missing("data/tasks/embed");
  const TempDirectory temporary;
  for (const char* file : {"config.json", "model.safetensors", "tokenizer.json"})
    std::filesystem::copy(*folder / file, temporary / file);
  std::ofstream(temporary / "modules.json") << R"([{"path": "3_LSTM", "type": "sentence_transformers.models.LSTM"}])";
  LoadOptions options = text_options({.model = (temporary / "").string()});
  options.purpose = Purpose::features;
  const LoadedModel model = load_model(options);
  try {
    embed_options(model);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(error.line().find("LSTM"), std::string::npos) << error.line();
    EXPECT_NE(error.line().find("modules.json"), std::string::npos) << error.line();
  }
}

TEST(Tasks, SayWhichHeadIsMissing) {
  Case c("ner");
  const std::string text = "a ship";
  EXPECT_THROW(find_answers(c.model(), text, text), UsageError);
  EXPECT_THROW(classify(c.model(), {&text, 1}), UsageError);
}

TEST(Characters, AreCountedInCodePoints) {
  EXPECT_EQ(characters("Café Zürich", 3, 7), "é Zü");
  EXPECT_EQ(characters("abc", 1, 1), "");
  EXPECT_EQ(characters("abc", 0, 9), "abc");
}

}  // namespace
}  // namespace braid::test
