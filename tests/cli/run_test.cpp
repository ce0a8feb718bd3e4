// `braid run` on the embedded model.

#include <gtest/gtest.h>
#include <signal.h>

#include "cli/program.h"
#include "core/json.h"
#include "support/kit.h"

namespace braid::test {
namespace {

std::string model() { return kit_path("models/books-4m").value().string(); }

/// `braid run MODEL` with these flags too.
Outcome write(std::vector<std::string> more) {
  more.insert(more.begin(), {"run", model()});
  return run(more);
}

TEST(Run, StreamsTheTextThatJsonReports) {
  const std::vector<std::string> flags{"--prompt", "It was a bright cold day", "--max-tokens", "24", "--exact"};
  const Outcome plain = write(flags);
  ASSERT_EQ(plain.status, 0) << plain.err;
  std::vector<std::string> with_json = flags;
  with_json.push_back("--json");
  const Outcome json = write(with_json);
  const JsonDocument document = JsonDocument::parse(json.out, "stdout");
  const Json root = document.root();
  EXPECT_EQ(plain.out, std::string(root.at("text").as_string()) + "\n");
  EXPECT_EQ(root.at("token_ids").size(), 24u);
  EXPECT_EQ(root.at("completion_tokens").as_int(), 24);
  EXPECT_EQ(root.at("finish_reason").as_string(), "length");
  EXPECT_NE(root.at("compute").as_string(), "");
  for (const char* key : {"load_ms", "prefill_ms", "decode_ms", "prefill_tokens_per_s", "decode_tokens_per_s"})
    EXPECT_GE(root.at("timings").at(key).as_double(), 0) << key;
}

TEST(Run, TheModelMayBeLeftOut) {
  const Outcome named = write({"--prompt", "The", "--max-tokens", "8"});
  const Outcome unnamed = run({"run", "--prompt", "The", "--max-tokens", "8"});
  EXPECT_EQ(unnamed.status, 0) << unnamed.err;
  EXPECT_EQ(unnamed.out, named.out);
}

TEST(Run, TakesThePromptFromAFileOrStdin) {
  const TempDirectory folder;
  write_file(folder / "prompt.txt", "Once upon a time");
  const std::string expected = write({"--prompt", "Once upon a time", "--max-tokens", "8"}).out;
  EXPECT_EQ(write({"--prompt-file", (folder / "prompt.txt").string(), "--max-tokens", "8"}).out, expected);
  EXPECT_EQ(run(Invocation{.arguments = {"run", model(), "--max-tokens", "8"}, .input = "Once upon a time"}).out,
            expected);
}

TEST(Run, ASeedGivesTheSameTextAndAnotherSeedAnotherOne) {
  const auto with_seed = [](const char* seed) {
    return write({"--prompt", "The", "--temperature", "1", "--max-tokens", "24", "--seed", seed}).out;
  };
  EXPECT_EQ(with_seed("7"), with_seed("7"));
  EXPECT_NE(with_seed("7"), with_seed("8"));
}

TEST(Run, EndsBeforeAStopString) {
  const std::vector<std::string> flags{"--prompt", "It was a bright cold day in April, and", "--max-tokens", "60"};
  const std::string text = write(flags).out;
  const size_t stop = text.find('.');
  ASSERT_NE(stop, std::string::npos) << text;
  std::vector<std::string> stopped = flags;
  stopped.insert(stopped.end(), {"--stop", ".", "--json"});
  const JsonDocument document = JsonDocument::parse(write(stopped).out, "stdout");
  EXPECT_EQ(document.root().at("text").as_string(), text.substr(0, stop));
  EXPECT_EQ(document.root().at("finish_reason").as_string(), "stop");
}

TEST(Run, AClosedStdoutEndsItQuietly) {
  const Outcome outcome = run(Invocation{
      .arguments = {"run", model(), "--prompt", "The", "--max-tokens", "900", "--ignore-eos"}, .close_output = true});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "");
}

TEST(Run, CtrlCKeepsWhatWasPrintedAndSaysSoByItsStatus) {
  const Outcome outcome = run(
      Invocation{.arguments = {"run", model(), "--prompt", "The", "--max-tokens", "1000", "--ignore-eos", "--verbose"},
                 .signal_after_output = SIGINT});
  if (outcome.status == 0) GTEST_SKIP() << "the text was complete before the signal came";
  EXPECT_EQ(outcome.status, 130);
  EXPECT_EQ(outcome.out.back(), '\n');
  EXPECT_NE(outcome.err.find("cancelled"), std::string::npos) << outcome.err;
}

TEST(Run, RefusesWhatDoesNotFit) {
  struct Case {
    std::vector<std::string> arguments;
    int status;
    const char* says;
  };
  const Case cases[] = {
      {{"--prompt", "a", "--prompt-ids", "1"}, 2, "only one of"},
      {{"--prompt", "a", "--chat"}, 1, "no chat template"},
      {{"--prompt-ids", "999999"}, 2, "999999"},
      {{"--prompt", "a", "--max-tokens", "100000"}, 2, "context"},
      {{"--prompt", "a", "--temperature", "nan"}, 2, "--temperature"},
      {{"--prompt", "a", "--top-p", "2"}, 2, "--top-p"},
      {{"--prompt", "a", "--memory", "1M"}, 1, "memory"},
      {{"--prompt", "a", "--num-beams", "0"}, 2, "--num-beams"},
      {{"--prompt", "a", "--num-beams", "2", "--num-return-sequences", "3"}, 2, "num_beams"},
      {{"--prompt", "a", "--num-return-sequences", "2"}, 2, "num_return_sequences"},
      {{"--prompt", "a", "--num-beams", "2", "--stop", "x"}, 2, "stop"},
      {{"--prompt", "a", "--early-stopping", "soon"}, 2, "--early-stopping"},
      {{"--prompt", "a", "--logprobs", "2"}, 2, "--json"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = write(c.arguments);
    EXPECT_EQ(outcome.status, c.status) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err.find("braid: error: "), 0u) << outcome.err;
    EXPECT_NE(outcome.err.find(c.says), std::string::npos) << outcome.err;
  }
}

TEST(Run, BeamsAndLogProbabilitiesAreInTheJson) {
  const Outcome outcome = write({"--prompt", "It was a", "--max-tokens", "8", "--num-beams", "3",
                                 "--num-return-sequences", "2", "--length-penalty", "0.5", "--no-repeat-ngram-size",
                                 "2", "--logprobs", "2", "--prompt-logprobs", "1", "--exact", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const JsonDocument document = JsonDocument::parse(outcome.out, "stdout");
  const Json root = document.root();
  EXPECT_EQ(root.at("token_ids").size(), 8u);
  EXPECT_EQ(root.at("others").size(), 1u);
  EXPECT_GE(root.at("score").as_double(), root.at("others")[0].at("score").as_double());
  ASSERT_EQ(root.at("logprobs").size(), 8u);
  EXPECT_EQ(root.at("logprobs")[0].at("token_id").as_int(), root.at("token_ids")[0].as_int());
  EXPECT_EQ(root.at("logprobs")[0].at("top").size(), 2u);
  EXPECT_EQ(static_cast<int64_t>(root.at("prompt_logprobs").size()), root.at("prompt_tokens").as_int() - 1);
  EXPECT_EQ(root.at("settings").at("num_beams").as_int(), 3);
  EXPECT_EQ(root.at("settings").at("no_repeat_ngram_size").as_int(), 2);
}

TEST(Run, SeveralTextsStandApart) {
  const Outcome outcome = write(
      {"--prompt", "The", "--max-tokens", "6", "--temperature", "1", "--seed", "3", "--num-return-sequences", "3"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  size_t lines = 0;
  for (size_t at = outcome.out.find("---\n"); at != std::string::npos; at = outcome.out.find("---\n", at + 1)) ++lines;
  EXPECT_EQ(lines, 2u);
  EXPECT_EQ(outcome.out.find(write({"--prompt", "The", "--max-tokens", "6", "--temperature", "1", "--seed", "3"}).out),
            0u);
}

TEST(Run, VerboseNamesTheSettingsInForce) {
  const Outcome outcome = write({"--prompt", "The", "--max-tokens", "2", "--top-k", "7", "--verbose"});
  EXPECT_NE(outcome.err.find("settings: top_k 7"), std::string::npos) << outcome.err;
}

TEST(Run, AReceiptSaysWhatRanWhere) {
  const Outcome outcome = write({"--prompt", "The", "--max-tokens", "4", "--receipt"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.err.find("cpu, steps of one tokens: "), std::string::npos);
  EXPECT_NE(outcome.err.find("# model.layers.0.self_attn.o_proj"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace braid::test
