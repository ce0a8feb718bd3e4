// tokenize and detokenize, on the embedded model's tokenizer.

#include <gtest/gtest.h>

#include "cli/program.h"
#include "core/json.h"
#include "support/kit.h"

namespace braid::test {
namespace {

constexpr const char* kText = "It was a bright cold day — naïve 日本!";

std::string model() { return kit_path("models/books-4m").value().string(); }

std::vector<int64_t> numbers(const Json& list) {
  std::vector<int64_t> all;
  for (size_t i = 0; i < list.size(); ++i) all.push_back(list[i].as_int());
  return all;
}

std::string joined(const std::vector<int64_t>& ids, const char* separator) {
  std::string text;
  for (const int64_t id : ids) text += (text.empty() ? "" : separator) + std::to_string(id);
  return text;
}

TEST(Tokenize, GivesIdsOffsetsAndTypesOfEachToken) {
  const Outcome outcome = run({"tokenize", model(), "--text", kText, "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const JsonDocument document = JsonDocument::parse(outcome.out, "stdout");
  const Json root = document.root();
  const size_t tokens = root.at("ids").size();
  ASSERT_GT(tokens, 5u);
  EXPECT_EQ(root.at("offsets").size(), tokens);
  EXPECT_EQ(root.at("type_ids").size(), tokens);
  int64_t end = 0;
  for (size_t i = 0; i < tokens; ++i) {
    EXPECT_LE(root.at("offsets")[i][0].as_int(), root.at("offsets")[i][1].as_int());
    end = std::max(end, root.at("offsets")[i][1].as_int());
  }
  EXPECT_EQ(end, 36);  // code points, not bytes
}

TEST(Tokenize, WithoutJsonPrintsTheIds) {
  const Outcome json = run({"tokenize", model(), "--text", kText, "--json", "--no-special"});
  const Outcome plain = run({"tokenize", model(), "--text", kText, "--no-special"});
  const JsonDocument document = JsonDocument::parse(json.out, "stdout");
  EXPECT_EQ(plain.out, joined(numbers(document.root().at("ids")), " ") + "\n");
}

TEST(Tokenize, ReadsFilesAndTokenizersAlone) {
  const TempDirectory folder;
  write_file(folder / "text.txt", kText);
  write_file(folder / "tokenizer.json", read_file(model() + "/tokenizer.json"));
  const std::string expected = run({"tokenize", model(), "--text", kText}).out;
  EXPECT_EQ(run({"tokenize", model(), "--file", (folder / "text.txt").string()}).out, expected);
  EXPECT_EQ(run({"tokenize", folder.path().string(), "--text", kText}).out, expected);
  EXPECT_EQ(run({"tokenize", (folder / "tokenizer.json").string(), "--text", kText}).out, expected);
}

TEST(Detokenize, GivesTheTextBack) {
  const Outcome ids = run({"tokenize", model(), "--text", kText, "--no-special", "--json"});
  const JsonDocument document = JsonDocument::parse(ids.out, "stdout");
  const std::string list = joined(numbers(document.root().at("ids")), ",");
  EXPECT_EQ(run({"detokenize", model(), "--ids", list}).out, std::string(kText) + "\n");
  const Outcome json = run({"detokenize", model(), "--ids", list, "--json"});
  EXPECT_EQ(json.out, JsonWriter().begin_object().member("text", kText).end_object().text() + "\n");
}

TEST(Batch, AnswersLineByLineAndGoesOnAfterAFailure) {
  const TempDirectory folder;
  write_file(folder / "lines.jsonl",
             "{\"text\": \"one\", \"add_special\": false}\n"
             "not json\n"
             "{\"txt\": \"two\"}\n"
             "\n"
             "{\"text\": \"one\", \"pair\": null, \"add_special\": false}\n");
  const Outcome outcome = run({"tokenize", model(), "--batch", (folder / "lines.jsonl").string()});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  std::vector<std::string> lines;
  for (size_t at = 0; at < outcome.out.size();) {
    const size_t end = outcome.out.find('\n', at);
    lines.push_back(outcome.out.substr(at, end - at));
    at = end + 1;
  }
  ASSERT_EQ(lines.size(), 4u) << outcome.out;
  EXPECT_EQ(lines[0].find("{\"ids\":["), 0u) << lines[0];
  EXPECT_EQ(lines[1].find("{\"error\":\""), 0u) << lines[1];
  EXPECT_NE(lines[1].find("lines.jsonl"), std::string::npos) << lines[1];
  EXPECT_EQ(lines[2].find("{\"error\":\""), 0u) << lines[2];
  EXPECT_NE(lines[2].find("text"), std::string::npos) << lines[2];
  EXPECT_EQ(lines[3], lines[0]);
}

TEST(Batch, DetokenizesTheIdsOfEachLine) {
  const TempDirectory folder;
  write_file(folder / "lines.jsonl", "{\"ids\": [1311, 318]}\n{\"ids\": [-1]}\n{\"ids\": [1311, 318], \"skip_special\": true}\n");
  const Outcome outcome = run({"detokenize", model(), "--batch", (folder / "lines.jsonl").string()});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string text = "{\"text\":\"It was\"}\n";
  EXPECT_EQ(outcome.out.find(text), 0u) << outcome.out;
  EXPECT_NE(outcome.out.find("{\"error\":\""), std::string::npos);
  EXPECT_EQ(outcome.out.substr(outcome.out.size() - text.size()), text);
}

}  // namespace
}  // namespace braid::test
