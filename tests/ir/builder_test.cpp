// Building and printing graphs.
#include "ir/builder.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/ops.h"

namespace braid {
namespace {

const Dim kTokens(Symbol::tokens);

TEST(Builder, GivesTheSameLeafForTheSameName) {
  Builder b;
  Value x = b.input("x", {{3}, Format::f32, {}}), w = b.parameter("w", {{3}, Format::f32, {}});
  EXPECT_EQ(b.input("x", {{3}, Format::f32, {}}).id, x.id);
  EXPECT_EQ(b.parameter("w", {{3}, Format::f32, {}}).id, w.id);
  EXPECT_NE(b.parameter("v", {{3}, Format::f32, {}}).id, w.id);
}

TEST(Builder, NamesTheScopeAndOpThatANodeCameFrom) {
  Builder b;
  Value x = b.input("x", {{3}, Format::f32, {}});
  b.set_scope("model.layers.0.mlp");
  const Node& made = b.graph().node(silu(x).id);
  EXPECT_EQ(made.origin.scopes, std::vector<std::string>{"model.layers.0.mlp"});
  EXPECT_EQ(made.origin.ops, std::vector<std::string>{"silu"});
  Origin both = made.origin;
  both.merge({{"model.norm", "model.layers.0.mlp"}, {"rms_norm"}});
  b.set_origin(both);
  const Node& rewritten = b.graph().node(neg(x).id);
  EXPECT_EQ(rewritten.origin.scopes, (std::vector<std::string>{"model.layers.0.mlp", "model.norm"}));
  EXPECT_EQ(rewritten.origin.ops, (std::vector<std::string>{"silu", "rms_norm"}));
}

TEST(Builder, InlinesAGraphInThePlaceOfItsInputs) {
  Builder inner;
  Value a = inner.input("a", {{3}, Format::f32, {}}), c = inner.input("c", {{3}, Format::f32, {}});
  inner.output("difference", a - c);
  const Graph body = inner.finish();
  Builder b;
  Value x = b.input("x", {{3}, Format::f32, {}}), y = b.input("y", {{3}, Format::f32, {}});
  const Value arguments[] = {y, x};
  const std::vector<Value> results = b.inline_graph(body, arguments);
  ASSERT_EQ(results.size(), 1u);
  const Node& made = b.graph().node(results[0].id);
  EXPECT_EQ(made.op, &op::sub);
  EXPECT_EQ(made.inputs, (std::vector<ValueId>{y.id, x.id}));
  EXPECT_THROW(b.inline_graph(body, std::span(arguments).first(1)), ShapeError);
}

TEST(Builder, CopiesInferTypesAnew) {
  Builder from;
  Value x = from.input("x", {{kTokens, 4}, Format::f32, {}});
  const Node node = from.graph().node(reduce_sum(x, 1).id);
  Builder b;
  Value other = b.input("x", {{7, 5}, Format::f32, {}});
  EXPECT_EQ(to_string(b.copy(node, {other})[0].type()), "f32[7]");
}

TEST(Attrs, AreKeptByNameAndSpeakOfWhatIsMissing) {
  Attrs attrs{{"scale", 0.5}, {"axis", int64_t{1}}};
  attrs.set("keep", int64_t{0});
  attrs.set("axis", int64_t{2});
  ASSERT_EQ(attrs.entries().size(), 3u);
  EXPECT_EQ(attrs.entries()[0].first, "axis");
  EXPECT_EQ(attrs.integer("axis"), 2);
  EXPECT_EQ(attrs.number_or("epsilon", 3), 3);
  try {
    attrs.integer("scale");
    FAIL();
  } catch (const ShapeError& error) {
    EXPECT_NE(error.line().find("\"scale\" is of another kind"), std::string::npos);
  }
  EXPECT_THROW(attrs.text("name"), ShapeError);
}

TEST(Print, WritesOneNodeALine) {
  Builder b;
  Value x = b.input("x", {{kTokens, 64}, Format::f32, {}});
  b.set_scope("model.norm");
  Value y = rms_norm(x, b.parameter("model.norm.weight", {{64}, Format::bf16, {}}), 1e-6);
  TopK best = top_k(y * 2.0, 3);
  b.output("best", best.indices);
  const std::string wanted =
      "%0 = input() {name=\"x\"} : f32[tokens, 64]\n"
      "%1 = parameter() {name=\"model.norm.weight\"} : bf16[64]  # model.norm\n"
      "%2 = rms_norm(%0, %1) {epsilon=1e-06} : f32[tokens, 64]  # model.norm\n"
      "%3 = constant() {value=2} : f32[]  # model.norm\n"
      "%4 = mul(%2, %3) : f32[tokens, 64]  # model.norm\n"
      "%5 = top_k(%4) {k=3} : f32[tokens, 3], i32[tokens, 3]  # model.norm\n"
      "output best = %5.1\n";
  EXPECT_EQ(print(b.finish()), wanted);
}

TEST(Print, WritesRegionsAndStates) {
  Builder inner;
  inner.output("y", neg(inner.input("a", {{3}, Format::f32, {}})));
  Builder b;
  Value s = b.state("cache", {{Dim(Symbol::slots), 3}, Format::f16, {}}, Lifetime::sequence);
  Value x = b.input("x", {{1, 3}, Format::f32, {}}), i = b.input("i", {{1}, Format::i32, {}});
  b.state_result(s, scatter(s, x, i));
  b.output("y", fused(b, {reshape(x, {3})}, std::make_shared<const Graph>(inner.finish()))[0]);
  const std::string text = print(b.finish());
  EXPECT_NE(text.find("state() {lifetime=1, name=\"cache\"} : f16[slots, 3]"), std::string::npos) << text;
  EXPECT_NE(text.find("state %0 <- %3\n"), std::string::npos) << text;
  EXPECT_NE(
      text.find("{body={\n    %0 = input() {name=\"a\"} : f32[3]\n    %1 = neg(%0) : f32[3]\n    output y = %1\n  }}"),
      std::string::npos)
      << text;
}

TEST(Print, TellsEqualConstantsFromUnlikeOnes) {
  auto expression = [](std::vector<float> numbers) {
    Builder b;
    Value c = b.constant(Tensor::of({3}, std::span<const float>(numbers)));
    return print_expression(b.graph(), neg(c).id);
  };
  EXPECT_EQ(expression({1, 2, 3}), expression({1, 2, 3}));
  EXPECT_NE(expression({1, 2, 3}), expression({1, 2, 4}));
  EXPECT_EQ(expression({1, 2, 3}).rfind("neg(constant()", 0), 0u);
}

TEST(Print, NamesAnExpressionByWhatItIsComputedFrom) {
  Builder b;
  Value w = b.parameter("model.w", {{4, 32}, Format::bf16, {}});
  Value q = quantize(w, Format::q8_0);
  EXPECT_EQ(print_expression(b.graph(), q.id), "quantize(parameter() {name=\"model.w\"}) {to=q8_0}");
}

}  // namespace
}  // namespace braid
