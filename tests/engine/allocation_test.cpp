// `Executable::run` allocates nothing: every operator new of this program is counted.

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/counted_new.h"
#include "support/kit.h"
#include "tasks/load.h"

namespace braid {
namespace {

Tensor ints(const std::vector<int32_t>& values, std::vector<int64_t> shape = {}) {
  if (shape.empty()) shape = {static_cast<int64_t>(values.size())};
  return Tensor::of(std::move(shape), std::span<const int32_t>(values));
}

/// A step of one sequence that begins at its first token.
StepData step_of(const Program& program, int32_t tokens) {
  StepData step;
  step.sizes[Symbol::tokens] = tokens;
  step.sizes[Symbol::sequences] = step.sizes[Symbol::rows] = 1;
  std::vector<int32_t> ids(static_cast<size_t>(tokens)), table(static_cast<size_t>(program.max_pages()));
  for (int32_t i = 0; i < tokens; ++i) ids[static_cast<size_t>(i)] = i;
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<int32_t>(i);
  step.inputs = {{"token_ids", ints(ids)},
                 {"positions", ints(ids)},
                 {"span_start", ints({0, tokens})},
                 {"context", ints({0})},
                 {"slots", ints({0})},
                 {"rows", ints({tokens - 1})},
                 {"page_table", ints(table, {1, program.max_pages()})},
                 {"window_table", ints(table, {1, program.max_pages()})}};
  return step;
}

class Allocations : public testing::TestWithParam<const char*> {};

TEST_P(Allocations, NoneInAStepOfAnySizeOrPrecision) {
  const auto folder = test::kit_path(std::string("golden/text/") + GetParam());
  if (!braid::test::allocations_are_counted()) GTEST_SKIP() << "a sanitizer has its own operator new";
  if (!folder) GTEST_SKIP() << "no " << GetParam() << " in the kit";
  for (const bool exact : {true, false}) {
    LoadOptions options;
    options.model = folder->string();
    options.threads = 2;
    options.context = 64;
    options.rewrite.exact = exact;
    LoadedModel model = load_model(options);
    for (const int32_t tokens : {1, 5, 33}) {
      Executable& executable = model.program->executable("decode", tokens);
      executable.prepare(step_of(*model.program, tokens));
      const int64_t before = braid::test::allocations();
      ASSERT_TRUE(executable.run().ok);
      EXPECT_EQ(braid::test::allocations(), before) << GetParam() << ", " << tokens << " tokens, exact " << exact;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Allocations,
                         testing::Values("llama-gqa", "gpt2", "mixtral", "mamba", "glm4-moe", "granite-hybrid-dense",
                                         "deepseek-v3", "gpt-oss", "qwen3-next"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace braid
