#include "engine/program.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "engine/models.h"

namespace braid {
namespace {

using test::exact_options;
using test::kit_path;

class ProgramOf : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Models, ProgramOf,
                         testing::Values("golden/text/llama-gqa", "golden/text/mamba", "golden/media/whisper",
                                         "golden/text/bert"),
                         [](const auto& info) {
                           std::string name = info.param.substr(7);
                           std::ranges::replace_if(
                               name, [](char c) { return !isalnum(c); }, '_');
                           return name;
                         });

TEST_P(ProgramOf, PlansTheBytesThatItWillHold) {
  if (!kit_path(GetParam())) GTEST_SKIP() << test::kit_missing(GetParam());
  LoadOptions options = exact_options(GetParam(), "cpu");
  options.context = 64;
  options.sequences = 3;
  options.step_tokens = 32;
  const MemoryPlan plan = load_model(options).program->plan();

  const LoadedModel loaded = load_model(options);
  Program& program = *loaded.program;
  uint64_t arenas = 0, states = 0;
  for (const std::string& entry : program.model().entries) {
    std::vector<const Executable*> seen;
    for (int64_t tokens = 1; tokens <= options.step_tokens; ++tokens) {
      const Executable& executable = program.executable(entry, tokens);
      if (std::ranges::find(seen, &executable) != seen.end()) continue;
      seen.push_back(&executable);
      arenas += executable.arena_bytes();
    }
  }
  SymbolValues pools;
  pools[Symbol::pages] = 3;  // of 64 tokens
  pools[Symbol::slots] = pools[Symbol::source_slots] = 3;
  const Graph& last = program.graph(program.model().entries.back());
  for (const uint32_t n : last.states()) states += byte_size(last.node(n).types[0], pools);

  EXPECT_EQ(plan.weights_bytes, program.weights().packed_bytes() + program.weights().mapped_bytes());
  EXPECT_EQ(plan.state_bytes, states);
  EXPECT_EQ(plan.arena_bytes, arenas);
  EXPECT_GT(plan.weights_bytes, 0u);
  EXPECT_GT(plan.arena_bytes, 0u);
  EXPECT_EQ(plan.total_bytes(), plan.weights_bytes + plan.state_bytes + plan.arena_bytes);
}

TEST(Program, CompilesOncePerSizeClass) {
  const char* const model = "golden/text/llama-gqa";
  if (!kit_path(model)) GTEST_SKIP() << test::kit_missing(model);
  const LoadedModel loaded = load_model(exact_options(model, "cpu"));
  Program& program = *loaded.program;
  const std::vector<SizeClass> classes = program.backend().size_classes();
  ASSERT_GE(classes.size(), 2u);
  EXPECT_EQ(program.receipts().size(), 0u) << "nothing is compiled before it is used";
  const Executable& one = program.executable("decode", classes[0].max_tokens);
  EXPECT_EQ(&program.executable("decode", 1), &one);
  EXPECT_NE(&program.executable("decode", classes[0].max_tokens + 1), &one);
  EXPECT_EQ(program.receipts().size(), 2u);
}

TEST(Program, NamesTheOptionThatDoesNotFitTheModel) {
  const char* const model = "golden/text/gpt2";
  if (!kit_path(model)) GTEST_SKIP() << test::kit_missing(model);
  const LoadedModel loaded = load_model(exact_options(model, "oracle"));
  const int64_t positions = loaded.program->model().max_positions;
  const auto field = [&](ProgramOptions options) -> std::string {
    try {
      Program(loaded.program->model(), make_backend({.device = "oracle"}), nullptr, options);
    } catch (const UsageError& error) {
      return error.place().field;
    }
    return "accepted";
  };
  EXPECT_EQ(field({.context = positions}), "accepted");
  EXPECT_EQ(field({.context = positions + 1}), "context");
  EXPECT_EQ(field({.context = 0}), "context");
  EXPECT_EQ(field({.context = 16, .sequences = 0}), "sequences");
  EXPECT_EQ(field({.context = 16, .sequences = INT64_MAX}), "context");
  EXPECT_EQ(field({.context = 16, .step_tokens = 0}), "step_tokens");
}

}  // namespace
}  // namespace braid
