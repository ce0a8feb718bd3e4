#include "models/scope.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "models/fake_index.h"

namespace braid {
namespace {

using test::error_of;
using test::index_of;

const Type kMatrix{.shape = {4, 8}, .format = Format::bf16};
const Type kVector{.shape = {4}, .format = Format::bf16};

std::string name_of(Value parameter) { return parameter.builder->graph().node(parameter.id).attrs.text("name"); }

TEST(Scope, ThePathIsTheTensorsName) {
  const TensorIndex index = index_of({{"model.layers.3.mlp.up.weight", kMatrix}});
  Builder b;
  const Value w = Scope(b, index)["model"]["layers"][3]["mlp"]["up"].parameter("weight", {4, 8});
  EXPECT_EQ(name_of(w), "model.layers.3.mlp.up.weight");
  EXPECT_EQ(w.type(), kMatrix);
}

TEST(Scope, TheSameTensorIsOneParameter) {
  const TensorIndex index = index_of({{"embed.weight", kMatrix}});
  Builder b;
  const Scope s = Scope(b, index)["embed"];
  EXPECT_EQ(s.parameter("weight", {4, 8}).id, s.parameter("weight", {4, 8}).id);
}

TEST(Scope, AMissingTensorIsNamedWithNearNames) {
  const TensorIndex index = index_of({{"model.norm.weights", kVector}, {"model.norm.scale", kVector}});
  Builder b;
  const Error error = error_of([&] { Scope(b, index)["model"]["norm"].parameter("weight", {4}); });
  EXPECT_EQ(error.place().field, "model.norm.weight");
  EXPECT_EQ(error.place().file, "tiny.safetensors");
  EXPECT_EQ(error.advice(), "it has model.norm.weights and model.norm.scale");
}

TEST(Scope, AnotherShapeIsAnErrorThatGivesBoth) {
  const TensorIndex index = index_of({{"w", kMatrix}});
  Builder b;
  for (const Shape& shape : {Shape{8, 4}, Shape{4, 8, 1}, Shape{32}, Shape{}}) {
    const Error error = error_of([&] { Scope(b, index).parameter("w", shape); });
    EXPECT_EQ(error.place().field, "w");
    EXPECT_NE(error.message().find("bf16[4, 8]"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find(to_string(Type{shape, Format::bf16})), std::string::npos) << error.message();
  }
}

TEST(Scope, IntegersAreNoWeights) {
  const TensorIndex index = index_of({{"w", {.shape = {4}, .format = Format::i64}}});
  Builder b;
  EXPECT_EQ(error_of([&] { Scope(b, index).parameter("w", {4}); }).message(), "a weight cannot be i64");
}

TEST(Scope, EverySpellingOfTheRenamesIsFound) {
  const std::vector<Rename> renames{{"bert.", ""}, {"Norm.weight", "Norm.gamma"}};
  for (const std::string name : {"bert.Norm.weight", "Norm.weight", "bert.Norm.gamma", "Norm.gamma"}) {
    const TensorIndex index = index_of({{name, kVector}});
    Builder b;
    EXPECT_EQ(name_of(Scope(b, index, renames)["bert"]["Norm"].parameter("weight", {4})), name);
  }
}

TEST(Scope, OurSpellingIsTakenFirst) {
  const TensorIndex index = index_of({{"Norm.gamma", kVector}, {"Norm.weight", kVector}});
  Builder b;
  const Scope root(b, index, {{"Norm.weight", "Norm.gamma"}});
  EXPECT_EQ(name_of(root["Norm"].parameter("weight", {4})), "Norm.weight");
}

TEST(Scope, FloatsAreAParameterExpression) {
  const TensorIndex index = index_of({{"half", kVector}, {"full", {.shape = {4}, .format = Format::f32}}});
  Builder b;
  const Value half = Scope(b, index).floats("half", {4}), full = Scope(b, index).floats("full", {4});
  EXPECT_EQ(half.type(), (Type{.shape = {4}, .format = Format::f32}));
  EXPECT_EQ(b.graph().node(half.id).op->name, "cast");
  EXPECT_EQ(b.graph().node(full.id).op->name, "parameter");
}

TEST(Scope, RandomWeightsAreQuantisedWhereProductsReadWholeBlocks) {
  const TensorIndex index = test::random_index(Format::q4_0);
  Builder b;
  const Scope s(b, index);
  EXPECT_EQ(s["matrix"].weight({4, 64}).type().format, Format::q4_0);
  EXPECT_EQ(s["narrow"].weight({4, 48}).type().format, Format::f32);
  EXPECT_EQ(s.parameter("vector", {64}).type().format, Format::f32);
  EXPECT_EQ(s.floats("kernel", {4, 64}).type().format, Format::f32);
}

TEST(Scope, RandomWeightsOfAPlainFormatHaveItEverywhere) {
  const TensorIndex index = test::random_index(Format::bf16);
  Builder b;
  const Scope s(b, index);
  EXPECT_EQ(s["narrow"].weight({4, 7}).type().format, Format::bf16);
  EXPECT_EQ(s.parameter("vector", {64}).type().format, Format::bf16);
}

TEST(Scope, AProjectionHasABiasWhenTheFamilySaysSo) {
  const TensorIndex index = index_of({{"up.weight", kMatrix}, {"up.bias", kVector}});
  Builder b;
  const Value x = b.input("x", {.shape = {Symbol::tokens, 8}, .format = Format::f32});
  const Scope s(b, index);
  EXPECT_EQ(b.graph().node(s.project("up", x, 4).id).op->name, "contract");
  const Value y = s.project("up", x, 4, kBias);
  EXPECT_EQ(b.graph().node(y.id).op->name, "add");
  EXPECT_EQ(y.type(), (Type{.shape = {Symbol::tokens, 4}, .format = Format::f32}));
}

TEST(Scope, SeveralProjectionsAreSeveralProductsOfTheSameRows) {
  const TensorIndex index = index_of({{"q.weight", kMatrix}, {"k.weight", {.shape = {2, 8}, .format = Format::f16}}});
  Builder b;
  const Value x = b.input("x", {.shape = {Symbol::tokens, 8}, .format = Format::f32});
  const auto [q, k] = Scope(b, index).project({{"q", 4}, {"k", 2}}, x);
  EXPECT_EQ(q.dim(-1), Dim(4));
  EXPECT_EQ(k.dim(-1), Dim(2));
  EXPECT_EQ(b.graph().node(q.id).inputs.front(), x.id);
  EXPECT_EQ(b.graph().node(k.id).inputs.front(), x.id);
}

TEST(Within, NodesNameTheInnermostScopeThatIsOpen) {
  const TensorIndex index = index_of({{"a.up.weight", kMatrix}});
  Builder b;
  const Scope s = Scope(b, index)["a"];
  const Value x = b.input("x", {.shape = {Symbol::tokens, 8}, .format = Format::f32});
  const auto scope_of = [&](Value v) { return b.graph().node(v.id).origin.scopes; };
  {
    const Within here(s);
    const Value y = s.project("up", x, 4);
    EXPECT_EQ(scope_of(y), std::vector<std::string>{"a.up"});
    EXPECT_EQ(scope_of(neg(y)), std::vector<std::string>{"a"});
  }
  EXPECT_TRUE(scope_of(neg(x)).empty());
}

}  // namespace
}  // namespace braid
