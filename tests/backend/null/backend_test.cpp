// The null backend records what it is asked to do, and refuses what no backend could do.

#include "backend/null/backend.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/ops.h"

namespace braid {
namespace {

Graph two_inputs() {
  Builder b;
  Value x = b.input("x", {{Symbol::tokens, 4}, Format::f32, {}});
  Value w = b.parameter("w", {{3, 4}, Format::f32, {}});
  Value pool = b.state("pool", {{Symbol::slots, 4}, Format::f32, {}}, Lifetime::sequence);
  b.state_result(pool, scatter(pool, x, b.input("slots", {{Symbol::tokens}, Format::i32, {}})));
  b.output("y", contract(x, w));
  return b.finish();
}

CompileOptions bounds(int64_t tokens) {
  CompileOptions options;
  options.size_class = "many";
  options.bounds[Symbol::tokens] = tokens;
  options.bounds[Symbol::slots] = 2;
  return options;
}

TEST(NullBackend, RecordsStepsWithTheirSizesAndGivesZeros) {
  null::NullBackend backend;
  auto executable = backend.compile(two_inputs(), bounds(8));
  WeightStore weights(nullptr, backend.load_runner());
  StateMap states{{"pool", Tensor::make({2, 4}, Format::f32)}};
  executable->bind(weights, states);
  StepData step;
  step.sizes[Symbol::tokens] = 2;
  step.inputs = {{"x", Tensor::make({2, 4}, Format::f32)}, {"slots", Tensor::make({2}, Format::i32)}};
  executable->prepare(step);
  ASSERT_TRUE(executable->run().ok);
  EXPECT_EQ(executable->output("y").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(executable->output("y").data<float>()[5], 0.0f);
  EXPECT_EQ(backend.record().compiled, std::vector<std::string>{"many"});
  EXPECT_EQ(backend.record().bound, std::vector<std::string>{"w"});
  ASSERT_EQ(backend.record().steps.size(), 1u);
  EXPECT_EQ(backend.record().steps[0].sizes[Symbol::tokens], 2);
  EXPECT_EQ(backend.record().steps[0].inputs, (std::vector<std::string>{"x", "slots"}));
}

TEST(NullBackend, RefusesMissingInputsAndStatesByName) {
  null::NullBackend backend;
  auto executable = backend.compile(two_inputs(), bounds(8));
  WeightStore weights(nullptr, backend.load_runner());
  StateMap none;
  try {
    executable->bind(weights, none);
    FAIL() << "bound without a state";
  } catch (const Error& error) {
    EXPECT_EQ(error.place().field, "pool");
  }
  try {
    executable->prepare({});
    FAIL() << "prepared without inputs";
  } catch (const Error& error) {
    EXPECT_EQ(error.place().field, "x");
  }
}

TEST(NullBackend, PlansTheArenaToTheByte) {
  null::NullBackend backend;
  // x: 8 × 4 floats, slots: 8 ints, y: 8 × 3 floats; nothing may share, each is rounded up to 64 bytes.
  EXPECT_EQ(backend.compile(two_inputs(), bounds(8))->arena_bytes(), 128u + 64u + 128u);
}

}  // namespace
}  // namespace braid
