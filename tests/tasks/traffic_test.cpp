#include "tasks/traffic.h"

#include <gtest/gtest.h>

#include "ops/ops.h"

namespace braid {
namespace {

SymbolValues step(int64_t tokens) {
  SymbolValues sizes;
  for (const Symbol s : {Symbol::tokens, Symbol::sequences, Symbol::rows}) sizes[s] = tokens;
  return sizes;
}

TEST(DecodeTraffic, CountsWeightsOnceTableRowsAndTheCache) {
  Builder b;
  const Value ids = b.input("token_ids", {.shape = {Symbol::tokens}, .format = Format::i32});
  const Value table = b.parameter("table", {.shape = {1000, 64}});
  Value x = gather(table, ids);
  x = contract(x, b.parameter("up", {.shape = {96, 64}, .format = Format::bf16}));
  x = contract(x, b.parameter("down", {.shape = {64, 96}, .format = Format::q8_0}));
  b.output("x", x);
  b.state("kept", {.shape = {Symbol::slots, 10}}, Lifetime::sequence);
  b.state("pages", {.shape = {Symbol::pages, 2, 16, 8}, .format = Format::f16}, Lifetime::token);
  const Traffic traffic = decode_traffic(b.graph(), {.sequences = 3, .context = 24, .page_size = 16});
  EXPECT_EQ(traffic.weights, 96 * 64 * 2 + 64 * 96 / 32 * 34);
  EXPECT_EQ(traffic.embeddings, 3 * 64 * 4);
  EXPECT_EQ(traffic.cache, 3 * (10 * 4 + 2 * 8 * 2 * 24));
}

TEST(DecodeTraffic, CountsATiedTableAsAWeightOnce) {
  Builder b;
  const Value ids = b.input("token_ids", {.shape = {Symbol::tokens}, .format = Format::i32});
  const Value table = b.parameter("table", {.shape = {1000, 64}});
  b.output("logits", contract(gather(table, ids), table));
  const Traffic traffic = decode_traffic(b.graph(), {.sequences = 1, .context = 0, .page_size = 16});
  EXPECT_EQ(traffic.weights, 1000 * 64 * 4);
  EXPECT_EQ(traffic.embeddings, 64 * 4);
}

TEST(DecodeTraffic, CountsOfAMixtureTheShareOfTheExpertsThatAreUsed) {
  Builder b;
  const Value x = b.input("x", {.shape = {{Symbol::tokens, 2}, 64}});
  const Value offsets = b.input("offsets", {.shape = {9}, .format = Format::i32});
  std::vector<Value> experts;
  for (int i = 0; i < 8; ++i) experts.push_back(b.parameter("e" + std::to_string(i), {.shape = {32, 64}}));
  b.output("y", contract_grouped(x, offsets, experts));
  EXPECT_EQ(decode_traffic(b.graph(), {.sequences = 1, .context = 0, .page_size = 1}).weights, 2 * 32 * 64 * 4);
  EXPECT_EQ(decode_traffic(b.graph(), {.sequences = 9, .context = 0, .page_size = 1}).weights, 8 * 32 * 64 * 4);
}

TEST(DecodeTraffic, LooksIntoFusedNodes) {
  Builder body;
  const Value in = body.input("a", {.shape = {Symbol::tokens, 64}});
  const Value weight = body.input("b", {.shape = {32, 64}});
  body.output("y", contract(in, weight));
  auto graph = std::make_shared<const Graph>(body.finish());
  Builder b;
  const Value x = b.input("x", {.shape = {Symbol::tokens, 64}});
  b.output("y", fused(b, {x, b.parameter("w", {.shape = {32, 64}})}, graph)[0]);
  EXPECT_EQ(decode_traffic(b.graph(), {.sequences = 1, .context = 0, .page_size = 1}).weights, 32 * 64 * 4);
  EXPECT_EQ(product_operations(b.graph(), step(5)).f32, 2.0 * 5 * 32 * 64);
}

TEST(ProductOperations, AreSortedByTheFormatThatIsMultiplied) {
  Builder b;
  const Value x = b.input("x", {.shape = {Symbol::tokens, 64}});
  const Value w = b.parameter("w", {.shape = {32, 64}, .format = Format::bf16});
  b.output("f32", contract(x, w));
  b.output("bf16", contract(cast(x, Format::bf16), w));
  b.output("int8",
           contract(quantize(x, Format::q8_act), b.parameter("q", {.shape = {16, 64}, .format = Format::q8_0})));
  const Operations operations = product_operations(b.graph(), step(3));
  EXPECT_EQ(operations.f32, 2.0 * 3 * 32 * 64);
  EXPECT_EQ(operations.bf16, 2.0 * 3 * 32 * 64);
  EXPECT_EQ(operations.int8, 2.0 * 3 * 16 * 64);
}

TEST(AttentionOperations, CountTheKeysThatEachRowMayMeet) {
  Builder b;
  const Value q = b.input("q", {.shape = {Symbol::tokens, 4, 16}}),
              k = b.input("k", {.shape = {Symbol::tokens, 2, 16}});
  const Value spans = b.input("span_start", {.shape = {{Symbol::sequences, 1, 1}}, .format = Format::i32});
  b.output("y", attend(q, k, k, spans, {.scale = 0.25}));
  EXPECT_EQ(attention_operations(b.graph(), 3), 4.0 * (1 + 2 + 3) * 4 * 16);
  b.output("z", attend(q, k, k, spans, {.scale = 0.25, .window = 2}));
  EXPECT_EQ(attention_operations(b.graph(), 5), 4.0 * (1 + 2 + 3 + 4 + 5 + 1 + 2 + 2 + 2 + 2) * 4 * 16);
}

TEST(DecodeTraffic, ReadsNoMoreThanAWindow) {
  Builder b;
  const auto integers = [&](const char* name, Shape shape) {
    return b.input(name, {.shape = std::move(shape), .format = Format::i32});
  };
  const Value q = b.input("q", {.shape = {Symbol::tokens, 2, 8}});
  const Value k = b.state("k", {.shape = {Symbol::window_pages, 2, 8, 16}}, Lifetime::token);
  const Value v = b.state("v", {.shape = {Symbol::window_pages, 2, 16, 8}}, Lifetime::token);
  const Attended y = attend_paged(q, q, q,
                                  {.k_state = k,
                                   .v_state = v,
                                   .span_start = integers("span_start", {{Symbol::sequences, 1, 1}}),
                                   .context = integers("context", {Symbol::sequences}),
                                   .page_table = integers("window_table", {Symbol::sequences, 4})},
                                  {.scale = 1, .window = 20});
  b.state_result(k, y.k_state);
  b.state_result(v, y.v_state);
  b.output("y", y.y);
  const auto cache = [&](double context) {
    return decode_traffic(b.graph(), {.sequences = 3, .context = context, .page_size = 16}).cache;
  };
  EXPECT_EQ(cache(10), 3 * 2 * 10 * 2 * 8 * 4);
  EXPECT_EQ(cache(50), 3 * 2 * 20 * 2 * 8 * 4);
}

}  // namespace
}  // namespace braid
