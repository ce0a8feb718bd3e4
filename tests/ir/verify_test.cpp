// The verifier: what it refuses, each with a graph that is right but for one thing.
#include <gtest/gtest.h>

#include "core/error.h"
#include "ir/builder.h"
#include "ops/ops.h"

namespace braid {
namespace {

const Dim kSlots(Symbol::slots);

struct Step {
  Builder b;
  Value pool = b.state("pool", {{kSlots, 4}, Format::f32, {}}, Lifetime::sequence);
  Value x = b.input("x", {{2, 4}, Format::f32, {}});
  Value rows = b.input("rows", {{2}, Format::i32, {}});
};

struct Broken {
  const char* name;
  void (*build)(Step& step);
  const char* message;
};

/// A node whose parts are as given: `copy` takes over types of ops that infer none, and infers the others.
Node node_of(const OpInfo& op, Attrs attrs, std::vector<Type> types) {
  return {.op = &op, .inputs = {}, .attrs = std::move(attrs), .types = std::move(types), .origin = {}};
}

const Broken kBroken[] = {
    {"a version that is lost", [](Step& s) { scatter(s.pool, s.x, s.rows); },
     "the last version of state \"pool\" is lost"},
    {"the version before as the result",
     [](Step& s) {
       scatter(s.pool, s.x, s.rows);
       s.b.state_result(s.pool, s.pool);
     },
     "is lost"},
    {"two updates of one version",
     [](Step& s) {
       Value first = scatter(s.pool, s.x, s.rows);
       scatter(s.pool, s.x, s.rows);
       s.b.state_result(s.pool, first);
     },
     "uses a state version that %3 has updated"},
    {"a read after the update",
     [](Step& s) {
       Value next = scatter(s.pool, s.x, s.rows);
       s.b.output("old", gather(s.pool, s.rows));
       s.b.state_result(s.pool, next);
     },
     "has updated"},
    {"an update of what is no state", [](Step& s) { s.b.output("y", scatter(s.x, s.x, s.rows)); },
     "operand 0 is not a state"},
    {"the result of another state",
     [](Step& s) {
       Value other = s.b.state("other", {{kSlots, 4}, Format::f32, {}}, Lifetime::sequence);
       s.b.state_result(s.pool, scatter(other, s.x, s.rows));
     },
     "its result is not a version of it"},
    {"a result that is no version", [](Step& s) { s.b.state_result(s.pool, gather(s.pool, s.rows)); },
     "its result is not a version of it"},
    {"an operand that comes later",
     [](Step& s) {
       Node node = node_of(op::input, {{"name", std::string("y")}}, {{{2, 4}, Format::f32, {}}});
       s.b.copy(node, {Value{&s.b, {9, 0}}});
     },
     "comes later"},
    {"a node without results",
     [](Step& s) {
       s.b.copy(node_of(op::input, {{"name", std::string("y")}}, {}), {});
     },
     "has no results"},
    {"an empty region",
     [](Step& s) {
       Attrs attrs{{"name", std::string("y")}, {"body", std::shared_ptr<const Graph>()}};
       s.b.copy(node_of(op::input, attrs, {{{2}, Format::f32, {}}}), {});
     },
     "region \"body\" is empty"},
};

TEST(Verify, RefusesEachKindOfBrokenGraphNamingTheNode) {
  for (const Broken& broken : kBroken) {
    Step step;
    broken.build(step);
    try {
      step.b.finish();
      ADD_FAILURE() << broken.name << " was taken";
    } catch (const ShapeError& error) {
      EXPECT_NE(error.line().find(broken.message), std::string::npos) << broken.name << ": " << error.line();
      EXPECT_NE(error.line().find("%"), std::string::npos) << broken.name << ": " << error.line();
    }
  }
}

TEST(Verify, LooksIntoRegions) {
  // A region with a lost version: finish() of its own builder would refuse it, so it is taken before.
  Step inner;
  scatter(inner.pool, inner.x, inner.rows);
  auto broken = std::make_shared<const Graph>(inner.b.graph());
  Builder b;
  b.copy(node_of(op::input, {{"name", std::string("y")}, {"body", broken}}, {{{2}, Format::f32, {}}}), {});
  EXPECT_THROW(b.finish(), ShapeError);
}

TEST(Verify, TakesAStateThatIsOnlyRead) {
  Step s;
  s.b.output("y", gather(s.pool, s.rows));
  EXPECT_NO_THROW(s.b.finish());
}

TEST(Verify, TakesAChainOfVersionsWithReadsBetween) {
  Step s;
  Value before = gather(s.pool, s.rows);
  Value first = scatter(s.pool, s.x, s.rows);
  Value between = gather(first, s.rows);
  Value second = scatter(first, before + between, s.rows);
  s.b.output("after", gather(second, s.rows));
  s.b.state_result(s.pool, second);
  const Graph graph = s.b.finish();
  ASSERT_EQ(graph.state_results().size(), 1u);
  EXPECT_EQ(graph.state_results()[0].value, second.id);
}

TEST(Verify, TheLaterResultOfAStateCounts) {
  Step s;
  Value first = scatter(s.pool, s.x, s.rows);
  s.b.state_result(s.pool, first);
  Value second = scatter(first, s.x, s.rows);
  s.b.state_result(s.pool, second);
  EXPECT_NO_THROW(s.b.finish());
}

TEST(Graph, CountsTheUsesOfANode) {
  Step s;
  Value y = s.x + s.x;
  s.b.output("y", y);
  s.b.output("again", y);
  const Graph graph = s.b.finish();
  const std::vector<uint32_t> uses = graph.use_counts();
  EXPECT_EQ(uses[s.x.id.node], 2u);
  EXPECT_EQ(uses[y.id.node], 2u);
  EXPECT_EQ(uses[s.pool.id.node], 0u);
}

}  // namespace
}  // namespace braid
