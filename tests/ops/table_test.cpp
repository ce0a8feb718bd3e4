// The table of ops: complete, consistent, and every op with samples.
#include <gtest/gtest.h>

#include <set>

#include "backend/oracle/program.h"
#include "ops/samples/check_backend.h"

namespace braid {
namespace {

void collect_ops(const Graph& graph, std::set<std::string_view>& ops) {
  for (const Node& node : graph.nodes()) {
    ops.insert(node.op->name);
    if (node.attrs.has("body")) collect_ops(node.attrs.graph("body"), ops);
  }
}

TEST(OpTable, FindsEachOpByItsNameAndNothingElse) {
  std::set<std::string_view> names;
  for (const OpInfo* op : op_table()) {
    EXPECT_TRUE(names.insert(op->name).second) << op->name;
    EXPECT_EQ(find_op(op->name), op);
  }
  EXPECT_EQ(find_op("no_such_op"), nullptr);
  EXPECT_EQ(find_op(""), nullptr);
}

TEST(OpTable, LacksNoSample) {
  std::set<std::string_view> sampled, seen;
  for (const samples::Sample& sample : samples::all()) {
    sampled.insert(sample.op->name);
    collect_ops(sample.graph, seen);
    std::set<std::string_view> own;
    collect_ops(sample.graph, own);
    EXPECT_EQ(own.count(sample.op->name), 1u) << sample.name << " does not contain its op";
  }
  for (const OpInfo* op : op_table())
    EXPECT_TRUE(op->kind == Kind::leaf ? seen.count(op->name) : sampled.count(op->name)) << op->name;
}

TEST(OpTable, TheOracleEvaluatesEachOpOrItsExpansion) {
  for (const OpInfo* op : op_table()) {
    if (op->kind == Kind::leaf) continue;
    EXPECT_NE(op->infer, nullptr) << op->name;
    EXPECT_NE(op->expand != nullptr, oracle::find_evaluate(*op) != nullptr) << op->name;
    if (op->kind == Kind::composite || op == &op::fused) {
      EXPECT_NE(op->expand, nullptr) << op->name;
    }
  }
}

TEST(OpTable, EverySampleRunsOnTheOracleAndGivesItsTypes) {
  for (const samples::Sample& sample : samples::all()) {
    SCOPED_TRACE(sample.name);
    const auto first = oracle::interpret(sample.graph, sample.feeds());
    const auto again = oracle::interpret(sample.graph, sample.feeds());
    ASSERT_EQ(first.size(), sample.graph.outputs().size());
    for (size_t i = 0; i < first.size(); ++i) {
      const Type& type = sample.graph.type(sample.graph.outputs()[i].value);
      EXPECT_EQ(first[i].tensor.shape, sizes_at(type.shape, sample.sizes));
      EXPECT_EQ(first[i].tensor.format, type.format);
      EXPECT_EQ(samples::relative_error(first[i].tensor, again[i].tensor), 0) << "not the same bits again";
      // An error is infinite where NaNs differ: no sample may give one.
      if (type.format != Format::f32) continue;
      for (int64_t e = 0; e < first[i].tensor.elements(); ++e)
        ASSERT_EQ(first[i].tensor.data<float>()[e], first[i].tensor.data<float>()[e]) << "NaN at " << e;
    }
  }
}

TEST(OpTable, CostsAreCountedForEverySample) {
  for (const samples::Sample& sample : samples::all())
    for (const Node& node : sample.graph.nodes()) {
      const Cost work = cost(sample.graph, node, sample.sizes);
      EXPECT_GE(work.flops, 0) << sample.name;
      const bool idle = element_count(node.types[0].shape, sample.sizes) == 0;
      EXPECT_TRUE(work.bytes > 0 || idle) << sample.name << " " << node.op->name;
    }
}

TEST(OpTable, AProductCostsTwoOperationsPerMultiplyAdd) {
  Builder b;
  Value x = b.input("x", {{Dim(Symbol::tokens), 64}, Format::f32, {}});
  Value y = contract(x, b.parameter("w", {{48, 64}, Format::q4_0, {}}));
  SymbolValues sizes;
  sizes[Symbol::tokens] = 5;
  const Cost work = cost(b.graph(), b.graph().node(y.id), sizes);
  EXPECT_EQ(work.flops, 2.0 * 5 * 48 * 64);
  EXPECT_EQ(work.bytes, 5 * 64 * 4 + 48 * 64 / 32 * 18 + 5 * 48 * 4);
}

}  // namespace
}  // namespace braid
