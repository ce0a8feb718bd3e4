// The oracle behind the interfaces of backends.
#include <gtest/gtest.h>

#include "backend/oracle/backend.h"
#include "core/error.h"
#include "ops/samples/check_backend.h"

namespace braid {
namespace {

TEST(OracleBackend, RunsEverySampleAsTheInterpreterDoes) {
  oracle::OracleBackend backend;
  const std::vector<samples::Sample> all = samples::all();
  samples::check_backend(backend, all, {.level = 0, .exact = true, .weights = {}, .disabled_rules = {}});
}

TEST(OracleBackend, ConvertsWeightsOnceWhenAskedTo) {
  Builder b;
  Value x = b.input("x", {{Dim(Symbol::tokens), 64}, Format::f32, {}});
  b.output("y", contract(x, b.parameter("w", {{8, 64}, Format::f32, {}})));
  oracle::OracleBackend backend;
  CompileOptions options;
  options.rewrite = {.level = 2, .exact = true, .weights = Format::q8_0, .disabled_rules = {}};
  const auto executable = backend.compile(b.finish(), options);
  ASSERT_EQ(executable->graph().parameters().size(), 1u);
  const Node& parameter = executable->graph().node(executable->graph().parameters()[0]);
  EXPECT_TRUE(parameter.attrs.has("load"));
  EXPECT_EQ(parameter.types[0].format, Format::q8_0);
}

TEST(CheckBackend, ToleratesRoundingAndNothingMore) {
  const std::vector<float> wanted = {1, -2, 3, 0.5f};
  auto error_of = [&](std::vector<float> y) {
    return samples::relative_error(Tensor::of({4}, std::span<const float>(y)),
                                   Tensor::of({4}, std::span<const float>(wanted)));
  };
  EXPECT_EQ(error_of(wanted), 0);
  EXPECT_LE(error_of({std::nextafter(1.0f, 2.0f), -2, 3, 0.5f}), samples::tolerance(1));
  EXPECT_GT(error_of({1.0001f, -2, 3, 0.5f}), samples::tolerance(1));
  EXPECT_GT(error_of({1.0001f, -2, 3, 0.5f}), samples::tolerance(64));
  EXPECT_TRUE(std::isinf(error_of({NAN, -2, 3, 0.5f})));
  EXPECT_TRUE(std::isinf(error_of({INFINITY, -2, 3, 0.5f})));
}

}  // namespace
}  // namespace braid
