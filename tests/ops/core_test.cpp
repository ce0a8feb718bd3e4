// Core ops on the oracle against direct computations.
#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "ops/direct.h"

namespace braid {
namespace {

using direct::Doubles;
using samples::Maker;

const Dim kTokens(Symbol::tokens);

SymbolValues tokens_are(int64_t n) {
  SymbolValues sizes;
  sizes[Symbol::tokens] = n;
  return sizes;
}

Doubles product(const Doubles& x, const Doubles& w, size_t k) {
  Doubles y;
  for (size_t i = 0; i < x.size(); i += k)
    for (size_t j = 0; j < w.size(); j += k) {
      double sum = 0;
      for (size_t d = 0; d < k; ++d) sum += x[i + d] * w[j + d];
      y.push_back(sum);
    }
  return y;
}

TEST(Contract, MultipliesRowsWithWeightsOfAnyFormat) {
  for (Format format : {Format::f32, Format::bf16, Format::f16, Format::q8_0, Format::q4_0})
    for (int64_t tokens : {1, 7}) {
      Maker m("contract", op::contract, tokens_are(tokens));
      Value x = m.input({kTokens, 96}), w = m.weight({19, 96}, format), bias = m.weight({19}, Format::bf16);
      Doubles wanted = product(direct::numbers(m.value_of(x)), direct::numbers(m.value_of(w)), 96);
      const Doubles b = direct::numbers(m.value_of(bias));
      for (size_t i = 0; i < wanted.size(); ++i) wanted[i] += b[i % 19];
      EXPECT_LE(direct::error(direct::run(m.finish({linear(x, w, bias)}, 1))[0], wanted), direct::few_roundings(2));
    }
}

TEST(Contract, GivesARowTheSameBitsAloneAndAmongOthers) {
  Maker m("many", op::contract, tokens_are(9));
  Value x = m.input({kTokens, 100}), w = m.weight({33, 100});
  const Tensor xs = m.value_of(x), ws = m.value_of(w);
  const Tensor all = direct::run(m.finish({contract(x, w)}, 1))[0];
  for (int64_t row = 0; row < 9; ++row) {
    Maker one("one", op::contract, tokens_are(1));
    Value xr = one.input({kTokens, 100}), wr = one.weight({33, 100});
    std::memcpy(one.value_of(xr).bytes(), xs.bytes() + row * 400, 400);
    std::memcpy(one.value_of(wr).bytes(), ws.bytes(), ws.byte_size());
    const Tensor y = direct::run(one.finish({contract(xr, wr)}, 1))[0];
    EXPECT_EQ(std::memcmp(y.bytes(), all.bytes() + row * 33 * 4, 33 * 4), 0);
  }
}

TEST(Contract, KeepsBatchesApart) {
  Maker m("batches", op::contract);
  Value x = m.input({2, 3, 5}), w = m.input({2, 4, 5});
  const Doubles xs = direct::numbers(m.value_of(x)), ws = direct::numbers(m.value_of(w));
  Doubles wanted = product({xs.begin(), xs.begin() + 15}, {ws.begin(), ws.begin() + 20}, 5);
  const Doubles second = product({xs.begin() + 15, xs.end()}, {ws.begin() + 20, ws.end()}, 5);
  wanted.insert(wanted.end(), second.begin(), second.end());
  EXPECT_LE(direct::error(direct::run(m.finish({contract(x, w)}, 1))[0], wanted), direct::few_roundings(1));
}

TEST(Contract, OfGroupsTakesEachRowsOwnWeight) {
  const std::vector<int32_t> experts = {2, 0, 2, 3, 0, 2, 2};
  Maker m("grouped", op::contract, tokens_are(7));
  Value x = m.input({kTokens, 32}), of = m.integers({kTokens}, experts);
  std::vector<Value> weights;
  for (int e = 0; e < 4; ++e) weights.push_back(m.weight({5, 32}, e == 2 ? Format::q8_0 : Format::f32));
  Doubles wanted;
  const Doubles xs = direct::numbers(m.value_of(x));
  for (size_t r = 0; r < experts.size(); ++r) {
    const Doubles row(xs.begin() + static_cast<ptrdiff_t>(r * 32), xs.begin() + static_cast<ptrdiff_t>(r * 32 + 32));
    const Doubles y = product(row, direct::numbers(m.value_of(weights[static_cast<size_t>(experts[r])])), 32);
    wanted.insert(wanted.end(), y.begin(), y.end());
  }
  Group g = group(of, 4);
  Value y = gather(contract_grouped(gather(x, g.order), g.offsets, weights), g.inverse);
  EXPECT_LE(direct::error(direct::run(m.finish({y}, 1))[0], wanted), direct::few_roundings(1));
}

// The first probe of the house: a fused product whose weight operand is q4_0.
TEST(Fused, IsItsBodyWhateverTheFormatsOfItsWeights) {
  Maker m("fused", op::fused, tokens_are(3));
  Value x = m.input({kTokens, 64}), w = m.weight({8, 64}, Format::q4_0), residual = m.input({kTokens, 8});
  const Doubles rs = direct::numbers(m.value_of(residual));
  Doubles wanted = product(direct::numbers(m.value_of(x)), direct::numbers(m.value_of(w)), 64);
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = wanted[i] / (1 + std::exp(-wanted[i])) + rs[i];
  Builder body;
  Value bx = body.input("x", x.type()), bw = body.input("w", w.type()), br = body.input("r", residual.type());
  body.output("y", silu(contract(bx, bw)) + br);
  std::vector<Value> y = fused(m.builder(), {x, w, residual}, std::make_shared<const Graph>(body.finish()));
  EXPECT_LE(direct::error(direct::run(m.finish(y, 1))[0], wanted), direct::few_roundings(8));
}

TEST(Conv, SumsOverChannelsOfItsGroupAndTaps) {
  struct Case {
    int64_t batch, channels, height, width, out, kh, kw, groups;
    std::vector<int64_t> stride, padding;
  };
  const Case kCases[] = {{2, 4, 6, 7, 6, 3, 2, 2, {2, 1}, {1, 1}},
                         {1, 3, 5, 5, 2, 5, 5, 1, {1, 1}, {2, 2}},
                         {1, 4, 4, 4, 4, 1, 1, 4, {3, 2}, {0, 0}}};
  for (const Case& c : kCases) {
    Maker m("conv", op::conv);
    Value x = m.input({c.batch, c.channels, c.height, c.width}), bias = m.weight({c.out});
    Value w = m.weight({c.out, c.channels / c.groups, c.kh, c.kw});
    const Doubles xs = direct::numbers(m.value_of(x)), ws = direct::numbers(m.value_of(w)),
                  bs = direct::numbers(m.value_of(bias));
    const int64_t oh = (c.height + 2 * c.padding[0] - c.kh) / c.stride[0] + 1,
                  ow = (c.width + 2 * c.padding[1] - c.kw) / c.stride[1] + 1, gc = c.channels / c.groups;
    Doubles wanted;
    for (int64_t b = 0; b < c.batch; ++b)
      for (int64_t o = 0; o < c.out; ++o)
        for (int64_t i = 0; i < oh * ow; ++i) {
          double sum = bs[static_cast<size_t>(o)];
          for (int64_t t = 0; t < gc * c.kh * c.kw; ++t) {
            const int64_t ch = o / (c.out / c.groups) * gc + t / (c.kh * c.kw);
            const int64_t iy = i / ow * c.stride[0] - c.padding[0] + t / c.kw % c.kh;
            const int64_t ix = i % ow * c.stride[1] - c.padding[1] + t % c.kw;
            if (iy < 0 || ix < 0 || iy >= c.height || ix >= c.width) continue;
            sum += xs[static_cast<size_t>(((b * c.channels + ch) * c.height + iy) * c.width + ix)] *
                   ws[static_cast<size_t>(o * gc * c.kh * c.kw + t)];
          }
          wanted.push_back(sum);
        }
    Value y = add_channels(conv(x, w, {c.stride, c.padding, c.groups}), bias);
    EXPECT_LE(direct::error(direct::run(m.finish({y}, 1))[0], wanted), direct::few_roundings(2));
  }
}

TEST(Conv, OverOneDimensionIsTheSameAsOverOneRow) {
  Maker m("line", op::conv);
  Value x = m.input({2, 3, 11}), w = m.weight({4, 3, 3});
  Value line = conv(x, w, {{2}, {1}, 1});
  Value plane = conv(reshape(x, {2, 3, 1, 11}), reshape(w, {4, 3, 1, 3}), {{1, 2}, {0, 1}, 1});
  const auto y = direct::run(m.finish({line, reshape(plane, line.type().shape)}, 1));
  EXPECT_EQ(samples::relative_error(y[0], y[1]), 0);
}

TEST(ReduceWindow, LeavesPaddingOut) {
  Maker m("pool", op::reduce_window);
  Value x = m.input({1, 4, 4});
  for (int i = 0; i < 16; ++i) m.value_of(x).data<float>()[i] = static_cast<float>(-1 - i);
  const Window window{.size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}};
  const auto y = direct::run(m.finish({reduce_window(x, "max", window), reduce_window(x, "sum", window)}, 1));
  EXPECT_EQ(direct::numbers(y[0]), (Doubles{-1, -2, -5, -6}));
  EXPECT_EQ(direct::numbers(y[1]), (Doubles{-1 - 2 - 5 - 6, -2 - 3 - 4 - 6 - 7 - 8, -5 - 6 - 9 - 10 - 13 - 14,
                                            -6 - 7 - 8 - 10 - 11 - 12 - 14 - 15 - 16}));
}

TEST(TopK, TakesTheLowerIndexOfEqualValuesAndLosesNoNaN) {
  Maker m("top", op::top_k);
  Value x = m.input({2, 5});
  const float numbers[] = {1, 7, 3, 7, 7, 2, NAN, 9, -1, 2};
  std::copy(std::begin(numbers), std::end(numbers), m.value_of(x).data<float>());
  TopK best = top_k(x, 3);
  const auto y = direct::run(m.finish({best.values, best.indices}, 1));
  EXPECT_EQ(direct::numbers(y[1]), (Doubles{1, 3, 4, 1, 2, 0}));
  EXPECT_TRUE(std::isnan(y[0].data<float>()[3]));
}

TEST(Group, SortsRowsStably) {
  Maker m("group", op::group, tokens_are(6));
  Group g = group(m.integers({kTokens}, {3, 0, 3, 1, 0, 3}), 5);
  const auto y = direct::run(m.finish({g.order, g.offsets, g.inverse}, 1));
  EXPECT_EQ(direct::numbers(y[0]), (Doubles{1, 4, 3, 0, 2, 5}));
  EXPECT_EQ(direct::numbers(y[1]), (Doubles{0, 2, 3, 3, 6, 6}));
  EXPECT_EQ(direct::numbers(y[2]), (Doubles{3, 0, 4, 2, 1, 5}));
}

TEST(Elementwise, IntegersDivideTowardsMinusInfinity) {
  Maker m("div", op::div);
  Value y = div(m.integers({4}, {7, -7, 7, -8}), m.integers({4}, {2, 2, -2, 4}));
  EXPECT_EQ(direct::numbers(direct::run(m.finish({y}, 1))[0]), (Doubles{3, -4, -4, -2}));
}

TEST(Elementwise, MaximumAndMinimumKeepNaN) {
  for (auto combine : {maximum, minimum})
    for (bool first : {true, false}) {
      Maker m("nan", op::maximum);
      Value x = m.input({1}), nan = m.builder().scalar(NAN);
      const Tensor y = direct::run(m.finish({first ? combine(nan, x) : combine(x, nan)}, 1))[0];
      EXPECT_TRUE(std::isnan(y.data<float>()[0]));
    }
}

TEST(Moves, TransposeSliceConcatAndBroadcastMoveElements) {
  Maker m("moves", op::transpose);
  Value x = m.input({2, 3});
  for (int i = 0; i < 6; ++i) m.value_of(x).data<float>()[i] = static_cast<float>(i);
  Value turned = transpose(x, {1, 0});
  const Value parts[] = {x, x};
  const auto y =
      direct::run(m.finish({turned, slice(x, 1, 1, 3), concat(parts, 1), broadcast(slice(x, 0, 1, 2), {2, 3})}, 1));
  EXPECT_EQ(direct::numbers(y[0]), (Doubles{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(direct::numbers(y[1]), (Doubles{1, 2, 4, 5}));
  EXPECT_EQ(direct::numbers(y[2]), (Doubles{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}));
  EXPECT_EQ(direct::numbers(y[3]), (Doubles{3, 4, 5, 3, 4, 5}));
}

TEST(Moves, BlocksOfQuantisedRowsMoveWhole) {
  Maker m("blocks", op::slice);
  Value w = m.weight({4, 96}, Format::q4_0);
  const Doubles all = direct::numbers(m.value_of(w));
  const Value halves[] = {slice(w, 0, 2, 4), slice(w, 0, 0, 2)};
  const auto y = direct::run(m.finish({slice(w, 1, 32, 96), concat(halves, 0)}, 1));
  Doubles columns, swapped(all.begin() + 192, all.end());
  for (size_t r = 0; r < 4; ++r)
    columns.insert(columns.end(), all.begin() + static_cast<ptrdiff_t>(r * 96 + 32),
                   all.begin() + static_cast<ptrdiff_t>(r * 96 + 96));
  swapped.insert(swapped.end(), all.begin(), all.begin() + 192);
  EXPECT_EQ(direct::numbers(y[0]), columns);
  EXPECT_EQ(direct::numbers(y[1]), swapped);
}

TEST(Moves, ASliceOfAStateIsNotChangedByALaterUpdate) {
  Maker m("state", op::scatter);
  Value state = m.state({4, 2}, Lifetime::sequence);
  const Doubles before = direct::numbers(m.value_of(state));
  Value old = reshape(state, {8});
  Value next = scatter(state, m.input({1, 2}), m.integers({1}, {1}));
  m.keep(state, next);
  const auto y = direct::run(m.finish({old, gather(next, m.integers({1}, {0}))}, 1));
  EXPECT_EQ(direct::numbers(y[0]), before);
}

TEST(Oracle, RefusesWhatLiesOutsideATable) {
  for (int32_t index : {-1, 4}) {
    Maker m("gather", op::gather);
    Value y = gather(m.input({4, 2}), m.integers({1}, {index}));
    const samples::Sample sample = m.finish({y}, 1);
    EXPECT_THROW(direct::run(sample), Error);
  }
}

TEST(Oracle, NamesWhatIsMissingOrMisshapen) {
  Maker m("feeds", op::add);
  Value x = m.input({3}), w = m.weight({3}), y = x + w;
  const samples::Sample sample = m.finish({y}, 1);
  auto fails_naming = [&](const oracle::Feeds& feeds, const char* name) {
    try {
      oracle::interpret(sample.graph, feeds);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_NE(error.line().find(name), std::string::npos) << error.line();
    }
  };
  oracle::Feeds feeds = sample.feeds();
  feeds.inputs["x0"] = Tensor::make({4}, Format::f32);
  fails_naming(feeds, "x0");
  feeds.inputs.clear();
  fails_naming(feeds, "x0");
  feeds = sample.feeds();
  feeds.parameters = oracle::parameters_by_name([](std::string_view) { return Tensor{}; });
  fails_naming(feeds, "w1");
}

TEST(Oracle, ComputesPacksFromTheirLoadGraphs) {
  Builder load;
  load.output("w", quantize(cast(load.parameter("model.w", {{3, 32}, Format::bf16, {}}), Format::f32), Format::q8_0));
  Builder b;
  Value packed = b.pack("q8(model.w)", std::make_shared<const Graph>(load.finish()), {{3, 32}, Format::q8_0, {}});
  b.output("y", contract(b.input("x", {{1, 32}, Format::f32, {}}), packed));
  oracle::Feeds feeds;
  Tensor w = Tensor::make({3, 32}, Format::bf16), x = Tensor::make({1, 32}, Format::f32);
  for (int i = 0; i < 96; ++i) w.data<uint16_t>()[i] = i < 32 ? 0x3f80 : 0x4000;  // 1 and 2
  std::fill_n(x.data<float>(), 32, 0.5f);
  feeds.inputs["x"] = x;
  feeds.parameters =
      oracle::parameters_by_name([&](std::string_view name) { return name == "model.w" ? w : Tensor{}; });
  const Tensor y = oracle::interpret(b.finish(), feeds)[0].tensor;
  // 127 steps of 1/127 as f16 has it.
  EXPECT_LE(direct::error(y, {16, 32, 32}), info(Format::f16).epsilon);
}

}  // namespace
}  // namespace braid
