// What the program says without a model: help, errors, exit statuses.

#include <gtest/gtest.h>

#include "cli/program.h"
#include "support/kit.h"

namespace braid::test {
namespace {

const std::vector<std::string> kCommands{"run",     "forward", "tokenize", "detokenize", "perplexity", "bench",
                                         "inspect", "plan",    "validate", "doctor",     "pull",       "list"};

TEST(Usage, WithoutArgumentsTheProgramPrintsItsCommands) {
  const Outcome outcome = run(std::vector<std::string>{});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  for (const std::string& command : kCommands) EXPECT_NE(outcome.out.find("\n  " + command + " "), std::string::npos);
}

TEST(Usage, EveryCommandHasHelpWithAnExample) {
  for (const std::string& command : kCommands) {
    const Outcome outcome = run({command, "--help"});
    EXPECT_EQ(outcome.status, 0) << command;
    EXPECT_NE(outcome.out.find("usage: braid " + command), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("example:\n  braid " + command), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("--json"), std::string::npos);
    EXPECT_EQ(run({"help", command}).out, outcome.out);
  }
}

TEST(Usage, VersionIsOneLine) {
  const Outcome outcome = run({"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out.find("braid "), 0u);
  EXPECT_EQ(outcome.out.find('\n'), outcome.out.size() - 1);
}

struct Wrong {
  std::vector<std::string> arguments;
  const char* says;
};

TEST(Usage, WrongUsageIsStatusTwoAndOneLineThatHelps) {
  const Wrong cases[] = {
      {{"rnu"}, "unknown command rnu — did you mean run?"},
      {{"--jsn"}, "unknown flag --jsn"},
      {{"run", "--promt", "x"}, "unknown flag --promt — did you mean --prompt?"},
      {{"tokenize"}, "braid tokenize needs MODEL"},
      {{"tokenize", "m"}, "one of --text, --file and --batch is needed"},
      {{"tokenize", "m", "extra", "--text", "x"}, "unexpected argument \"extra\""},
      {{"detokenize", "m", "--ids", "1,x"}, "\"x\" is not an integer of at least 0"},
      {{"detokenize", "m", "--ids", "99999999999"}, "(--ids)"},
      {{"forward", "m", "--input", "i"}, "--output is needed"},
      {{"bench", "--repeat", "0"}, "\"0\" is not an integer of at least 1"},
      {{"bench", "--weights", "iq2_xxs"}, "weights are not converted to iq2_xxs (--weights) — formats: "},
      {{"bench", "--weights", "bf61"}, "unknown number format \"bf61\" (--weights) — did you mean bf16?"},
      {{"bench", "--memory", "4Q"}, "\"4Q\" is not a size"},
      {{"bench", "--no-rule", "nonsense"}, "unknown rule \"nonsense\" (--no-rule)"},
      {{"bench", "-O7"}, "7"},
      {{"bench", "--tokens"}, "--tokens"},
      {{"bench", "--device", "abacus"}, "abacus"},
      {{"bench", "--vram", "4G"}, "the CPU has no memory of its own"},
  };
  for (const Wrong& wrong : cases) {
    const Outcome outcome = run(wrong.arguments);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err.find("braid: error: "), 0u) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
    EXPECT_NE(outcome.err.find(wrong.says), std::string::npos) << outcome.err;
  }
}

TEST(Usage, AModelThatIsNotThereFailsWithStatusOne) {
  const Outcome outcome = run({"inspect", "no/such-model", "--json"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.find("braid: error: "), 0u) << outcome.err;
  EXPECT_NE(outcome.err.find("no/such-model"), std::string::npos) << outcome.err;
}

TEST(Usage, OutputThatIsNoTerminalIsPlain) {
  const Outcome outcome = run(Invocation{.arguments = {"tokenize"}, .environment = {"TERM=xterm", "NO_COLOR=1"}});
  EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos);
}

TEST(Usage, AListOfModelsIsOneObject) {
  const TempDirectory home;
  const Outcome outcome =
      run(Invocation{.arguments = {"list", "--json"}, .environment = {"HF_HOME=" + home.path().string()}});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out.find("{\"models\":["), 0u) << outcome.out;
}

}  // namespace
}  // namespace braid::test
