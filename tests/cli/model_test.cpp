// Commands that look at a model or a machine, on the embedded model.

#include <gtest/gtest.h>

#include "cli/program.h"
#include "core/json.h"
#include "files/checkpoint.h"
#include "support/kit.h"

namespace braid::test {
namespace {

std::string model() { return kit_path("models/books-4m").value().string(); }

JsonDocument answer(std::vector<std::string> arguments) {
  arguments.push_back("--json");
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return JsonDocument::parse(outcome.out, "stdout");
}

TEST(Inspect, DescribesSizesStatesAndTensors) {
  const JsonDocument document = answer({"inspect", model(), "--tensors"});
  const Json root = document.root();
  EXPECT_EQ(root.at("family").as_string(), "llama");
  const Checkpoint checkpoint = Checkpoint::open(model());
  int64_t parameters = 0;
  for (const std::string& name : checkpoint.names()) {
    int64_t count = 1;
    for (const int64_t d : checkpoint.entry(name)->shape) count *= d;
    parameters += count;
  }
  EXPECT_EQ(root.at("parameters").as_int(), parameters);
  EXPECT_EQ(root.at("tensors").size(), checkpoint.names().size());
  EXPECT_EQ(root.at("tensors")[0].at("name").as_string(), checkpoint.names()[0]);
  const Json states = root.at("entries")[0].at("states");
  ASSERT_GT(states.size(), 0u);
  EXPECT_EQ(states[0].at("lifetime").as_string(), "token");
}

TEST(Inspect, NamesTheTensorsThatNoGraphReads) {
  const auto folder = kit_path("golden/text/gpt2");
  if (!folder) GTEST_SKIP() << kit_missing("golden/text/gpt2");
  const JsonDocument document = answer({"inspect", folder->string()});
  const Json unread = document.root().at("unread");
  ASSERT_EQ(unread.size(), 3u);  // the causal masks that old files carry, one per layer
  EXPECT_EQ(unread[0].as_string(), "h.0.attn.bias");
}

TEST(Inspect, ChecksumsAreSixtyFourDigits) {
  const JsonDocument document = answer({"inspect", model(), "--tensors", "--checksums"});
  const Json tensors = document.root().at("tensors");
  for (size_t i = 0; i < tensors.size(); ++i) EXPECT_EQ(tensors[i].at("sha256").as_string().size(), 64u);
}

TEST(Inspect, PrintsGraphsAsWrittenAndAsTheyRun) {
  const Outcome written = run({"inspect", model(), "--graph"});
  EXPECT_NE(written.out.find("rms_norm("), std::string::npos);
  EXPECT_NE(written.out.find("# model.layers.0"), std::string::npos);
  const Outcome compiled = run({"inspect", model(), "--compiled", "1"});
  EXPECT_EQ(compiled.status, 0) << compiled.err;
  EXPECT_NE(compiled.out.find("contract"), std::string::npos);
}

TEST(Plan, AddsUpAndGrowsWithBatchAndContext) {
  const auto plan = [](const char* context, const char* batch) {
    const JsonDocument document = answer({"plan", model(), "--context", context, "--batch", batch});
    const Json root = document.root();
    EXPECT_EQ(root.at("total_bytes").as_int(),
              root.at("weights_bytes").as_int() + root.at("state_bytes").as_int() + root.at("arena_bytes").as_int());
    return root.at("state_bytes").as_int();
  };
  const int64_t one = plan("256", "1");
  EXPECT_GT(one, 0);
  EXPECT_EQ(plan("512", "1"), 2 * one);
  EXPECT_EQ(plan("256", "3"), 3 * one);
}

TEST(Plan, HalvesTheWeightsInABetterFormat) {
  const auto weights = [](const char* format) {
    return answer({"plan", model(), "--weights", format}).root().at("weights_bytes").as_int();
  };
  EXPECT_LT(weights("q8_0"), weights("bf16"));
  EXPECT_LT(weights("q4_0"), weights("q8_0"));
}

TEST(Validate, FindsTheCpuTheSameAsTheOracle) {
  const JsonDocument document = answer({"validate", model()});
  EXPECT_EQ(document.root().at("verdict").as_string(), "same");
  EXPECT_TRUE(document.root().at("tokens_equal").as_bool());
  EXPECT_LE(document.root().at("max_relative_error").as_double(), document.root().at("tolerance").as_double());
}

TEST(Bench, ReportsSpeedsAsFractionsOfWhatWasMeasured) {
  const JsonDocument document =
      answer({"bench", model(), "--prompt-tokens", "32", "--tokens", "4", "--repeat", "1", "--threads", "1"});
  const Json root = document.root();
  for (const char* key : {"prefill_tokens_per_s", "decode_tokens_per_s", "bytes_per_token", "read_gb_per_s",
                          "bandwidth_fraction", "peak_fraction", "load_ms", "rss_mb"})
    EXPECT_GT(root.at(key).as_double(), 0) << key;
  EXPECT_NEAR(root.at("bandwidth_fraction").as_double(),
              root.at("bytes_per_token").as_double() * root.at("decode_tokens_per_s").as_double() /
                  (root.at("read_gb_per_s").as_double() * 1e9),
              1e-9 * root.at("bandwidth_fraction").as_double());
  EXPECT_NE(root.at("compute").as_string(), "");
}

TEST(Bench, JudgesAgainstAnEarlierRun) {
  const TempDirectory folder;
  const std::string saved = (folder / "bench.json").string();
  const std::vector<std::string> bench{"bench",    model(), "--prompt-tokens", "8", "--tokens", "2",
                                       "--repeat", "1",     "--threads",       "1"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), bench.begin(), bench.end());
    return run(more);
  };
  ASSERT_EQ(with({"--save", saved}).status, 0);
  // An earlier run that was a thousand times as fast, or as slow.
  const auto rewrite = [&](double factor) {
    const JsonDocument document = JsonDocument::read(saved);
    JsonWriter json;
    json.begin_object();
    const Json root = document.root();
    for (size_t i = 0; i < root.size(); ++i) {
      const std::string_view key = root.key(i);
      if (key.ends_with("tokens_per_s"))
        json.member(key, root[i].as_double() * factor);
      else if (key == "rss_mb")
        json.member(key, root[i].as_double() / factor);
      else if (root[i].is_number())
        json.member(key, root[i].as_double());
    }
    const std::string path = (folder / "other.json").string();
    write_file(path, json.end_object().text());
    return path;
  };
  const Outcome slower = with({"--against", rewrite(1000), "--json"});
  EXPECT_EQ(slower.status, 5) << slower.err;
  EXPECT_NE(slower.out.find("\"regression\":\"severe\""), std::string::npos) << slower.out;
  EXPECT_EQ(with({"--against", rewrite(0.001)}).status, 0);
  const Outcome other = run({"bench", model(), "--prompt-tokens", "9", "--tokens", "2", "--repeat", "1", "--threads",
                             "1", "--against", saved});
  EXPECT_EQ(other.status, 1);
  EXPECT_NE(other.err.find("prompt_tokens"), std::string::npos) << other.err;
}

TEST(Doctor, MeasuresTheMachineAndListsKernels) {
  const JsonDocument document = answer({"doctor", "--kernels", "--threads", "1"});
  const Json root = document.root();
  EXPECT_NE(root.at("cpu").at("model").as_string(), "");
  EXPECT_GE(root.at("cpu").at("cores").as_int(), 1);
  EXPECT_GT(root.at("read_gb_per_s").as_double(), 0);
  EXPECT_GT(root.at("peak_gflops").as_double(), 0);
  EXPECT_EQ(root.at("devices")[0].at("name").as_string(), "cpu");
  EXPECT_GT(root.at("kernels").size(), 10u);
  EXPECT_GE(root.at("instruction_sets").size(), 1u);
  for (size_t i = 0; i < root.at("backends").size(); ++i) {  // each of them is a device that runs a model
    const std::string device(root.at("backends")[i].as_string());
    EXPECT_EQ(run({"run", model(), "--prompt", "It", "--max-tokens", "1", "--device", device}).status, 0) << device;
  }
}

TEST(Perplexity, OfAFewTokensIsTheSameHoweverWindowsAreCutIntoSteps) {
  const TempDirectory folder;
  write_file(folder / "text.txt", "It was a bright cold day in April, and the clocks were striking thirteen.");
  const std::string text = (folder / "text.txt").string();
  const JsonDocument whole = answer({"perplexity", model(), "--text", text});
  const int64_t tokens = whole.root().at("tokens").as_int();
  EXPECT_GT(tokens, 10);
  EXPECT_GT(whole.root().at("perplexity").as_double(), 1);
  const JsonDocument two = answer({"perplexity", model(), "--text", text, "--context", "8"});
  EXPECT_EQ(two.root().at("tokens").as_int(), tokens + 1 - (tokens + 8) / 8);  // every window leaves its first out
  const Outcome one = run({"perplexity", model(), "--text", text, "--max-tokens", "2", "--json"});
  EXPECT_NE(one.out.find("\"tokens\":1,"), std::string::npos) << one.out;
}

}  // namespace
}  // namespace braid::test
