// The commands on texts, as a user runs them.

#include <gtest/gtest.h>

#include "cli/program.h"
#include "core/json.h"
#include "support/kit.h"

namespace braid::test {
namespace {

std::string model(const std::string& name) { return kit_path("data/tasks/" + name).value().string(); }

/// What a command prints with --json.
JsonDocument answer(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return JsonDocument::parse(outcome.out, "stdout");
}

TEST(TextCommands, TakeTextsFromFlagsAndFromLines) {
  const TempDirectory temporary;
  const auto lines = temporary.write("lines.txt", "A ship.\r\n\nThe sea\n");
  const JsonDocument three =
      answer({"classify", model("classify"), "--text", "Snow!", "--file", lines.string(), "--top-k", "2"});
  ASSERT_EQ(three.root().at("results").size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const Json labels = three.root().at("results")[i];
    ASSERT_EQ(labels.size(), 2u);
    EXPECT_GE(labels[0].at("score").as_double(), labels[1].at("score").as_double());
    EXPECT_TRUE(labels[0].at("label").is_string());
  }
  EXPECT_FALSE(three.root().at("compute").as_string().empty());
}

TEST(TextCommands, GiveTheKeysOfTheContract) {
  const JsonDocument vectors = answer({"embed", model("embed"), "--text", "a ship", "--text", "the sea"});
  ASSERT_EQ(vectors.root().at("embeddings").size(), 2u);
  EXPECT_EQ(vectors.root().at("embeddings")[0].size(), 32u);

  const JsonDocument names = answer({"ner", model("ner"), "--text", "Anna went to London in the morning."});
  const Json entity = names.root().at("results")[0][0];
  EXPECT_EQ(entity.at("word").as_string(), "anna");
  EXPECT_EQ(entity.at("start").as_int(), 0);
  EXPECT_EQ(entity.at("end").as_int(), 4);

  const JsonDocument masks = answer({"fill-mask", model("fill-mask"), "--text", "A [MASK].", "--top-k", "3"});
  const Json fillings = masks.root().at("results")[0][0];
  ASSERT_EQ(fillings.size(), 3u);
  for (const char* key : {"score", "token", "token_str", "sequence"}) EXPECT_TRUE(fillings[0].find(key)) << key;

  const JsonDocument spans = answer(
      {"answer", model("answer"), "--question", "Who?", "--context", "Anna went.", "--context", "Peter saw it."});
  EXPECT_EQ(spans.root().at("results").size(), 2u);
  EXPECT_TRUE(spans.root().at("results")[0][0].at("answer").is_string());

  const JsonDocument ranked = answer({"rerank", model("rerank"), "--query", "sea", "--text", "a", "--text", "the sea"});
  EXPECT_EQ(ranked.root().at("results").size(), 2u);
  EXPECT_TRUE(ranked.root().at("results")[0].at("index").is_number());
}

TEST(TextCommands, RewriteTextsWithTheBeamsThatAreAskedFor) {
  const std::vector<std::string> translate{
      "translate", model("text-to-text"), "--from", "en", "--to", "de", "--text", "Snow!", "--text", "A ship."};
  const JsonDocument tasks = answer(translate);
  ASSERT_EQ(tasks.root().at("results").size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const Json result = tasks.root().at("results")[i];
    EXPECT_FALSE(result.at("text").as_string().empty());
    EXPECT_LE(result.at("token_ids").size(), 9u) << "max_length 10 counts the decoder's first token";
    EXPECT_TRUE(result.at("score").is_number()) << "the task asks for beams";
    EXPECT_FALSE(result.find("others"));
  }
  std::vector<std::string> more = translate;
  for (const char* flag : {"--num-beams", "4", "--num-return-sequences", "2", "--max-tokens", "5"})
    more.emplace_back(flag);
  const JsonDocument two = answer(more);
  EXPECT_EQ(two.root().at("results")[1].at("others").size(), 1u);
  EXPECT_LE(two.root().at("results")[1].at("token_ids").size(), 5u);
  std::vector<std::string> greedy = translate;
  for (const char* flag : {"--num-beams", "1"}) greedy.emplace_back(flag);
  EXPECT_FALSE(answer(greedy).root().at("results")[0].find("score"));

  std::vector<std::string> unknown = translate;
  unknown[5] = "ro";
  const Outcome refused = run(unknown);
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("translation_en_to_fr"), std::string::npos) << refused.err;
}

TEST(TextCommands, NeedATextAndSaySo) {
  for (const char* command : {"embed", "classify", "ner", "fill-mask"}) {
    const Outcome outcome = run({command, model("embed")});
    EXPECT_EQ(outcome.status, 2) << command;
    EXPECT_NE(outcome.err.find("--text"), std::string::npos) << outcome.err;
  }
  EXPECT_EQ(run({"answer", model("answer"), "--context", "x"}).status, 2);
  EXPECT_EQ(run({"rerank", model("rerank"), "--text", "x"}).status, 2);
  EXPECT_EQ(run({"translate", model("embed"), "--text", "x"}).status, 2);
}

TEST(TextCommands, RefuseAModelWithoutTheHead) {
  const Outcome outcome = run({"summarise", model("embed"), "--text", "a ship"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.err.find("encoder-decoder"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace braid::test
