// Types of results, with symbolic dimensions, and what refuses to fit.
#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

const Dim kTokens(Symbol::tokens), kSequences(Symbol::sequences);

/// A case: builds something; the message must contain the text ("" : it must fit).
struct Case {
  const char* name;
  void (*build)(Builder& b);
  const char* message;
};

Value in(Builder& b, Shape shape, Format f = Format::f32) {
  return b.input("x" + std::to_string(b.graph().nodes().size()), {std::move(shape), f, {}});
}

const Case kCases[] = {
    {"broadcasting of unlike sizes",
     [](Builder& b) {
       add(in(b, {3, 4}), in(b, {3}));
     },
     "operand 1, f32[3]"},
    {"broadcasting of unlike symbols", [](Builder& b) { add(in(b, {kTokens}), in(b, {kSequences})); }, "tokens"},
    {"mixed formats", [](Builder& b) { add(in(b, {3}), in(b, {3}, Format::i32)); }, "should be f32"},
    {"a product of halves", [](Builder& b) { mul(in(b, {3}, Format::f16), in(b, {3}, Format::f16)); }, "operand 0"},
    {"exp of integers", [](Builder& b) { exp(in(b, {3}, Format::i32)); }, "should be f32"},
    {"select by numbers", [](Builder& b) { select(in(b, {3}), in(b, {3}), in(b, {3})); }, "should be bool"},
    {"cast to blocks", [](Builder& b) { cast(in(b, {32}), Format::q8_0); }, "work of quantize"},
    {"sum over no such axis", [](Builder& b) { reduce_sum(in(b, {3}), 1); }, "no dimension 1"},
    {"mean over a symbol",
     [](Builder& b) {
       mean(in(b, {kTokens, 3}), 0);
     },
     "tokens"},
    {"more than there are", [](Builder& b) { top_k(in(b, {3}), 4); }, "at least 4"},
    {"a window that is too large",
     [](Builder& b) {
       reduce_window(in(b, {5}), "max", {{9}, {1}, {0}});
     },
     "dimension 0"},
    {"a window of padding alone",
     [](Builder& b) {
       reduce_window(in(b, {5}), "max", {{1}, {1}, {1}});
     },
     "dimension 0"},
    {"no kind of window",
     [](Builder& b) {
       reduce_window(in(b, {5}), "mean", {{1}, {1}, {0}});
     },
     "neither max nor sum"},
    {"unlike depths",
     [](Builder& b) {
       contract(in(b, {kTokens, 64}), in(b, {8, 32}));
     },
     "operand 1, f32[8, 32]"},
    {"a weight without a class",
     [](Builder& b) {
       contract(in(b, {1, 64}), in(b, {8, 64}, Format::i8));
     },
     "operand 1"},
    {"integers times weights",
     [](Builder& b) {
       contract(in(b, {1, 64}, Format::i32), in(b, {8, 64}));
     },
     "operand 0"},
    {"unlike batches",
     [](Builder& b) {
       contract(in(b, {2, 5, 4}), in(b, {3, 6, 4}));
     },
     "should have 2 at dimension 0"},
    {"too few offsets",
     [](Builder& b) {
       const Value w[] = {in(b, {8, 4}), in(b, {8, 4})};
       contract_grouped(in(b, {kTokens, 4}), in(b, {2}, Format::i32), w);
     },
     "should have 3 at dimension 0"},
    {"experts of unlike sizes",
     [](Builder& b) {
       const Value w[] = {in(b, {8, 4}), in(b, {9, 4})};
       contract_grouped(in(b, {kTokens, 4}), in(b, {3}, Format::i32), w);
     },
     "operand 3"},
    {"groups that do not divide",
     [](Builder& b) {
       conv(in(b, {1, 6, 9}), in(b, {4, 1, 3}), {{1}, {1}, 4});
     },
     "4 groups"},
    {"a kernel of other channels",
     [](Builder& b) {
       conv(in(b, {1, 6, 9}), in(b, {4, 5, 3}), {{1}, {1}, 1});
     },
     "operand 1"},
    {"a kernel that is too large",
     [](Builder& b) {
       conv(in(b, {1, 6, 2}), in(b, {4, 6, 5}), {{1}, {1}, 1});
     },
     "dimension 2"},
    {"reshape to fewer",
     [](Builder& b) {
       reshape(in(b, {kTokens, 12}), {kTokens, 3, 3});
     },
     "as many elements"},
    {"reshape of tokens to sequences", [](Builder& b) { reshape(in(b, {kTokens}), {kSequences}); }, "as many elements"},
    {"reshape across blocks",
     [](Builder& b) {
       reshape(in(b, {2, 64}, Format::q8_0), {128});
     },
     "last dimension"},
    {"an order that repeats",
     [](Builder& b) {
       transpose(in(b, {2, 3}), {0, 0});
     },
     "not a permutation"},
    {"transpose of blocks",
     [](Builder& b) {
       transpose(in(b, {2, 32}, Format::q4_0), {1, 0});
     },
     "last dimension"},
    {"slice beyond the end",
     [](Builder& b) {
       slice(in(b, {3, 4}), 1, 2, 5);
     },
     "[2, 5) at dimension 1"},
    {"slice of tokens",
     [](Builder& b) {
       slice(in(b, {kTokens, 4}), 0, 0, 1);
     },
     "number at dimension 0"},
    {"slice through a block",
     [](Builder& b) {
       slice(in(b, {2, 64}, Format::q8_0), 1, 0, 16);
     },
     "between blocks"},
    {"slice of the scattered parts of a row",
     [](Builder& b) {
       slice(quantize(in(b, {2, 64}), Format::q8_act), 1, 0, 32);
     },
     "operand 0"},
    {"concat of unlike symbols",
     [](Builder& b) {
       const Value parts[] = {in(b, {kTokens, 3}), in(b, {kSequences, 3})};
       concat(parts, 0);
     },
     "cannot be added"},
    {"concat of unlike rows",
     [](Builder& b) {
       const Value parts[] = {in(b, {2, 3}), in(b, {2, 4})};
       concat(parts, 0);
     },
     "operand 1, f32[2, 4]"},
    {"broadcast to fewer",
     [](Builder& b) {
       broadcast(in(b, {3, 4}), {4});
     },
     "does not broadcast"},
    {"broadcast of three to four", [](Builder& b) { broadcast(in(b, {3}), {4}); }, "does not broadcast"},
    {"indices that are floats",
     [](Builder& b) {
       gather(in(b, {3, 4}), in(b, {kTokens}));
     },
     "should be i32"},
    {"no such leading dimensions", [](Builder& b) { gather(in(b, {3}), in(b, {1}, Format::i32), 2); }, "leading 2"},
    {"rows of another width",
     [](Builder& b) {
       scatter(in(b, {3, 4}), in(b, {kTokens, 5}), in(b, {kTokens}, Format::i32));
     },
     "operand 1"},
    {"spans of tokens", [](Builder& b) { segment_of(in(b, {kTokens}, Format::i32)); }, "sequences+1"},
    {"rows that are not blocks",
     [](Builder& b) {
       quantize(in(b, {2, 48}), Format::q8_0);
     },
     "whole blocks"},
    {"quantize to floats",
     [](Builder& b) {
       quantize(in(b, {2, 64}), Format::f16);
     },
     "not a block format"},
    {"pack of floats",
     [](Builder& b) {
       pack(in(b, {16, 32}), Layout::interleave16);
     },
     "not of the integer class"},
    {"pack of a pack",
     [](Builder& b) {
       pack(pack(in(b, {16, 32}, Format::q8_0), Layout::interleave16), Layout::interleave16);
     },
     "packed already"},
    {"a norm of another width",
     [](Builder& b) {
       rms_norm(in(b, {kTokens, 8}), in(b, {4}), 1e-5);
     },
     "operand 1, f32[4]"},
    {"an odd rotation",
     [](Builder& b) {
       rope(in(b, {kTokens, 2, 9}), in(b, {kTokens}, Format::i32), in(b, {4}), {});
     },
     "rotary_dim of 9"},
    {"positions of other tokens",
     [](Builder& b) {
       rope(in(b, {kTokens, 2, 8}), in(b, {kSequences}, Format::i32), in(b, {4}), {});
     },
     "operand 1"},
    {"heads that do not divide",
     [](Builder& b) {
       Value kv = in(b, {kTokens, 4, 8});
       attend(in(b, {kTokens, 6, 8}), kv, kv, in(b, {kSequences + 1}, Format::i32), {});
     },
     "do not divide 6 heads"},
    {"a causal source",
     [](Builder& b) {
       Value k = in(b, {3, 2, 8, 7}), v = in(b, {3, 2, 7, 8});
       attend_source(in(b, {kTokens, 6, 8}), k, v, in(b, {kSequences + 1}, Format::i32),
                     in(b, {kSequences}, Format::i32), {});
     },
     "not causal"},
    {"pools of unlike page sizes",
     [](Builder& b) {
       Value kv = in(b, {kTokens, 2, 8}), k = in(b, {9, 2, 8, 4}), v = in(b, {9, 2, 5, 8});
       Value start = in(b, {kSequences + 1}, Format::i32), context = in(b, {kSequences}, Format::i32);
       attend_paged(in(b, {kTokens, 6, 8}), kv, kv, {k, v, start, context, in(b, {kSequences, 3}, Format::i32)}, {});
     },
     "operand 4, f32[9, 2, 5, 8]"},
    {"an absent operand", [](Builder& b) { add(in(b, {3}), {}); }, "absent"},
    {"an operand of another graph",
     [](Builder& b) {
       Builder other;
       add(in(b, {3}), in(other, {3}));
     },
     "another graph"},
};

TEST(Infer, RefusesNamingOperandAndDimension) {
  for (const Case& c : kCases) {
    Builder b;
    b.set_scope("model.layers.3");
    try {
      c.build(b);
      ADD_FAILURE() << c.name << " was taken";
    } catch (const ShapeError& error) {
      EXPECT_NE(error.line().find(c.message), std::string::npos) << c.name << ": " << error.line();
    }
  }
}

TEST(Infer, NamesTheScopeOfAFailure) {
  Builder b;
  b.set_scope("model.layers.3.mlp");
  Value x = in(b, {3}), y = in(b, {4});
  try {
    add(x, y);
    FAIL();
  } catch (const ShapeError& error) {
    EXPECT_EQ(error.place().field, "model.layers.3.mlp");
    EXPECT_EQ(error.message().rfind("add: ", 0), 0u);
  }
}

TEST(Infer, CarriesSymbolsThrough) {
  Builder b;
  auto shape = [](Value v) { return to_string(v.type()); };
  Value x = in(b, {kTokens, 12});
  EXPECT_EQ(shape(x + in(b, {12})), "f32[tokens, 12]");
  EXPECT_EQ(shape(in(b, {kTokens, 1}) + in(b, {12})), "f32[tokens, 12]");
  EXPECT_EQ(shape(reshape(x, {kTokens, 3, 4})), "f32[tokens, 3, 4]");
  EXPECT_EQ(shape(reshape(x, {kTokens * 3, 4})), "f32[3*tokens, 4]");
  EXPECT_EQ(shape(reshape(in(b, {2, kTokens, kSequences + 1, 6}), {(kSequences + 1) * 3, kTokens * 4})),
            "f32[3*sequences+3, 4*tokens]");
  EXPECT_EQ(shape(contract(x, in(b, {7, 12}, Format::bf16))), "f32[tokens, 7]");
  const Value parts[] = {x, in(b, {1, 12}), x};
  EXPECT_EQ(shape(concat(parts, 0)), "f32[2*tokens+1, 12]");
  EXPECT_EQ(shape(gather(in(b, {50, 12}, Format::bf16), in(b, {kTokens}, Format::i32))), "bf16[tokens, 12]");
  EXPECT_EQ(shape(gather(in(b, {50, 32}, Format::q4_0), in(b, {kTokens}, Format::i32))), "f32[tokens, 32]");
  EXPECT_EQ(shape(iota(b, kTokens + 1)), "i32[tokens+1]");
  EXPECT_EQ(shape(reduce_max(x, 0, true)), "f32[1, 12]");
}

TEST(SameElements, HoldsWhateverTheSymbolsAre) {
  EXPECT_TRUE(same_elements({kTokens * 2, 3}, {6, kTokens}));
  EXPECT_TRUE(same_elements({kTokens, kTokens}, {1, kTokens, kTokens}));
  EXPECT_TRUE(same_elements({kTokens * 2 + 4, 5}, {10, kTokens + 2}));
  EXPECT_TRUE(same_elements({0, kTokens}, {kSequences, 0}));
  EXPECT_TRUE(same_elements({}, {1, 1}));
  EXPECT_FALSE(same_elements({kTokens + 1}, {kTokens}));
  EXPECT_FALSE(same_elements({kTokens, kSequences}, {kTokens, kTokens}));
  EXPECT_FALSE(same_elements({2, 3}, {5}));
}

TEST(Expansions, HaveTheTypesOfTheirComposites) {
  // A graph whose composites are replaced must verify: checked for every sample by running it; here that the types are
  // the same, with symbols.
  Builder b;
  Value x = in(b, {kTokens, 4, 8}), kv = in(b, {kTokens, 2, 8}), start = in(b, {kSequences + 1}, Format::i32);
  attend(x, kv, kv, start, {});
  rope(x, in(b, {kTokens}, Format::i32), in(b, {4}), {});
  softmax(x);
  const size_t count = b.graph().nodes().size();
  for (uint32_t n = 0; n < count; ++n) {
    const Node node = b.graph().node(n);
    if (node.op->expand == nullptr) continue;
    std::vector<Value> operands;
    for (ValueId v : node.inputs) operands.push_back(b.value(v));
    const std::vector<Value> results = node.op->expand(b, node, operands);
    ASSERT_EQ(results.size(), node.types.size());
    for (size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i].type(), node.types[i]) << node.op->name;
  }
}

}  // namespace
}  // namespace braid
