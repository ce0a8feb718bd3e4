// The built program against what transformers answered: raw passes, greedy tokens, perplexity.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "cli/program.h"
#include "core/json.h"
#include "files/config.h"
#include "files/safetensors.h"
#include "models/model.h"
#include "support/kit.h"
#include "tasks/numbers.h"

namespace braid::test {
namespace {

std::string test_name(std::string name) {
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

/// All cases of the kit of the families that this program has; of one task when it is given.
std::vector<std::string> cases(std::string_view task = {}) {
  std::vector<std::string> all;
  for (const std::string folder : {"golden/text", "golden/media"}) {
    for (const std::string& name : kit_names(folder)) {
      const std::string path = folder + "/" + name;
      const auto config = kit_path(path + "/config.json"), golden = kit_path(path + "/golden.json");
      if (!config || !golden) continue;
      const std::string type = Config::read(config->string()).string_or("model_type", "");
      if (find_family(type) == nullptr) continue;
      const JsonDocument about = JsonDocument::read(golden->string());
      const auto of = about.root().find("task");
      if (task.empty() || (of && of->as_string() == task)) all.push_back(path);
    }
  }
  return all;
}

/// ‖a - b‖ / ‖b‖; over the positions that `mask` (B, T) has, where the tensor has an axis of positions.
double relative_error(const Tensor& a, const Tensor& b, const Tensor* mask) {
  std::vector<int64_t> counts;
  if (mask != nullptr && b.shape.size() >= 2 && b.shape[0] == mask->shape[0] && b.shape[1] == mask->shape[1])
    counts = to_integers(*mask);
  const int64_t width = counts.empty() ? b.elements() : b.elements() / static_cast<int64_t>(counts.size());
  double difference = 0, size = 0;
  for (int64_t i = 0; i < b.elements(); ++i) {
    if (!counts.empty() && counts[static_cast<size_t>(i / width)] == 0) continue;
    const double x = a.data<float>()[i], y = b.data<float>()[i];
    difference += (x - y) * (x - y);
    size += y * y;
  }
  return std::sqrt(difference / size);
}

class GoldenForward : public testing::TestWithParam<std::string> {};

TEST_P(GoldenForward, EveryOutputIsThatOfTransformers) {
  const auto folder = kit_path(GetParam());
  if (!folder) GTEST_SKIP() << kit_missing(GetParam());
  const TempDirectory temporary;
  const std::string golden_path = (*folder / "golden.safetensors").string(),
                    path = (temporary / "out.safetensors").string();
  const Outcome outcome =
      run({"forward", folder->string(), "--input", golden_path, "--output", path, "--hidden", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;

  const SafetensorsFile golden = SafetensorsFile::open(golden_path), ours = SafetensorsFile::open(path);
  Tensor mask;
  if (const SafetensorsEntry* entry = golden.find("in.attention_mask")) mask = golden.tensor(*entry);
  int compared = 0;
  for (const SafetensorsEntry& entry : golden.entries()) {
    if (!entry.name.starts_with("out.")) continue;
    const SafetensorsEntry* own = ours.find(entry.name.substr(4));
    ASSERT_NE(own, nullptr) << entry.name << " is missing";
    ASSERT_EQ(own->shape, entry.shape) << entry.name;
    ASSERT_EQ(own->format, Format::f32) << entry.name;
    EXPECT_LE(relative_error(ours.tensor(*own), golden.tensor(entry), mask ? &mask : nullptr), 1e-5) << entry.name;
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenForward, testing::ValuesIn(cases()),
                         [](const auto& instance) { return test_name(instance.param); });

std::vector<int64_t> integers(const Json& list) {
  std::vector<int64_t> all;
  for (size_t i = 0; i < list.size(); ++i) all.push_back(list[i].as_int());
  return all;
}
std::string joined(const std::vector<int64_t>& ids) {
  std::string text;
  for (const int64_t id : ids) text += (text.empty() ? "" : ",") + std::to_string(id);
  return text;
}

/// The tokens that `braid run` writes after a prompt.
std::vector<int64_t> greedy_tokens(const std::string& model, const std::vector<int64_t>& prompt, size_t tokens,
                                   const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"run",
                                     model,
                                     "--prompt-ids",
                                     joined(prompt),
                                     "--exact",
                                     "--ignore-eos",
                                     "--max-tokens",
                                     std::to_string(tokens),
                                     "--json",
                                     "--temperature",
                                     "0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  if (outcome.status != 0) return {};
  const JsonDocument document = JsonDocument::parse(outcome.out, "stdout");
  const Json root = document.root();
  EXPECT_EQ(root.at("completion_tokens").as_int(), static_cast<int64_t>(tokens));
  EXPECT_EQ(root.at("prompt_tokens").as_int(), static_cast<int64_t>(prompt.size()));
  EXPECT_EQ(root.at("finish_reason").as_string(), "length");
  return integers(root.at("token_ids"));
}

class GoldenGreedy : public testing::TestWithParam<std::string> {};

TEST_P(GoldenGreedy, TheTokensAreThoseOfTransformers) {
  const auto folder = kit_path(GetParam());
  if (!folder) GTEST_SKIP() << kit_missing(GetParam());
  const JsonDocument golden = JsonDocument::read((*folder / "golden.json").string());
  if (!golden.root().find("greedy")) GTEST_SKIP() << GetParam() << " has no greedy tokens";
  const Json greedy = golden.root().at("greedy");
  const std::vector<int64_t> expected = integers(greedy.at("tokens"));
  // The context that the tokens need, as a program that knows its request would ask for: longrope depends on it.
  const std::vector<int64_t> prompt = integers(greedy.at("prompt"));
  EXPECT_EQ(greedy_tokens(folder->string(), prompt, expected.size(),
                          {"--context", std::to_string(prompt.size() + expected.size())}),
            expected);
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenGreedy, testing::ValuesIn(cases("causal-lm")),
                         [](const auto& instance) { return test_name(instance.param); });
INSTANTIATE_TEST_SUITE_P(EncoderDecoders, GoldenGreedy, testing::ValuesIn(cases("seq2seq-lm")),
                         [](const auto& instance) { return test_name(instance.param); });

class GoldenBooks : public testing::TestWithParam<std::string> {};

TEST_P(GoldenBooks, WritesTheGreedyTokensAfterEachPrompt) {
  const std::string name = "models/" + GetParam();
  const auto folder = kit_path(name);
  if (!folder || !std::filesystem::exists(*folder / "golden.json")) GTEST_SKIP() << kit_missing(name + "/golden.json");
  const JsonDocument golden = JsonDocument::read((*folder / "golden.json").string());
  const Json prompts = golden.root().at("golden_fp32");
  for (size_t i = 0; i < prompts.size(); ++i) {
    const std::vector<int64_t> prompt = integers(prompts[i].at("input_ids"));
    std::vector<int64_t> expected = integers(prompts[i].at("greedy_ids"));  // which begin with the prompt
    expected.erase(expected.begin(), expected.begin() + static_cast<int64_t>(prompt.size()));
    EXPECT_EQ(greedy_tokens(folder->string(), prompt, expected.size()), expected)
        << prompts[i].at("prompt").as_string();
    const Outcome text =
        run({"run", folder->string(), "--prompt", std::string(prompts[i].at("prompt").as_string()), "--exact",
             "--ignore-eos", "--temperature", "0", "--max-tokens", std::to_string(expected.size()), "--json"});
    ASSERT_EQ(text.status, 0) << text.err;
    const JsonDocument answer = JsonDocument::parse(text.out, "stdout");
    EXPECT_EQ(integers(answer.root().at("token_ids")), expected);
  }
}

TEST_P(GoldenBooks, PredictsTheNovelAsWellAsTransformersSay) {
  const std::string name = "models/" + GetParam(), text = "data/eval/hound-of-the-baskervilles.txt";
  const auto folder = kit_path(name), novel = kit_path(text);
  if (!folder || !std::filesystem::exists(*folder / "perplexity.json")) GTEST_SKIP() << kit_missing(name);
  if (!novel) GTEST_SKIP() << kit_missing(text);
  const JsonDocument golden = JsonDocument::read((*folder / "perplexity.json").string());
  const Json expected = golden.root().at("hound-of-the-baskervilles.txt");
  const Outcome outcome = run({"perplexity", folder->string(), "--text", novel->string(), "--context",
                               std::to_string(expected.at("context").as_int()), "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const JsonDocument answer = JsonDocument::parse(outcome.out, "stdout");
  EXPECT_EQ(answer.root().at("tokens").as_int(), expected.at("tokens").as_int());
  const double perplexity = expected.at("perplexity").as_double();
  EXPECT_NEAR(answer.root().at("perplexity").as_double(), perplexity, 0.0005 * perplexity);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenBooks, testing::Values("books-4m", "books-27m"),
                         [](const auto& instance) { return test_name(instance.param); });

}  // namespace
}  // namespace braid::test
