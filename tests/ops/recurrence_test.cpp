// Recurrences against direct computations, and the states that carry them from step to step.
#include <gtest/gtest.h>

#include <cstring>

#include "ops/direct.h"

namespace braid {
namespace {

using direct::Doubles;
using samples::Batch;
using samples::Maker;
using samples::Sample;

const Dim kTokens(Symbol::tokens), kSequences(Symbol::sequences), kSlots(Symbol::slots);
const Batch kBatch{{3, 0, 1, 5}, {0, 4, 9, 2}, {2, 4, 0, 3}};

SymbolValues sizes_of(const Batch& batch) {
  SymbolValues sizes = batch.sizes();
  sizes[Symbol::slots] = 5;
  return sizes;
}

Recurrent pool_of(Maker& m, Shape row, bool stateful) {
  if (!stateful) return {};
  row.insert(row.begin(), kSlots);
  return {m.state(std::move(row), Lifetime::sequence), m.slots(kBatch), m.context(kBatch)};
}

/// The carry with which sequence s begins: its slot of the pool, or zeros.
Doubles carry_of(const Doubles& pool, size_t s, size_t width) {
  if (pool.empty() || kBatch.contexts[s] == 0) return Doubles(width, 0.0);
  const auto begin = pool.begin() + static_cast<ptrdiff_t>(static_cast<size_t>(kBatch.slots[s]) * width);
  return {begin, begin + static_cast<ptrdiff_t>(width)};
}

struct Wanted {
  Doubles y, pool;
};

/// Runs the sample and compares the output and, when there is one, the pool.
void expect(const Sample& sample, const Wanted& wanted, double allowed) {
  oracle::Feeds feeds = sample.feeds();
  const auto outputs = oracle::interpret(sample.graph, feeds);
  EXPECT_LE(direct::error(outputs[0].tensor, wanted.y), allowed);
  for (const auto& [name, pool] : feeds.states) EXPECT_LE(direct::error(pool, wanted.pool), allowed) << name;
}

TEST(CausalConv, LooksBackOverTheInputsOfItsOwnSequence) {
  constexpr int kChannels = 3, kWidth = 4;
  for (bool stateful : {false, true})
    for (bool with_bias : {false, true}) {
      Maker m("conv", op::causal_conv, sizes_of(kBatch));
      Value x = m.input({kTokens, kChannels}), w = m.weight({kChannels, kWidth});
      Value bias = with_bias ? m.weight({kChannels}) : Value{};
      Recurrent state = pool_of(m, {kChannels, kWidth - 1}, stateful);
      const Doubles xs = direct::numbers(m.value_of(x)), ws = direct::numbers(m.value_of(w));
      const Doubles bs = with_bias ? direct::numbers(m.value_of(bias)) : Doubles(kChannels, 0.0);
      const Doubles before = stateful ? direct::numbers(m.value_of(state.pool)) : Doubles{};
      Wanted wanted{.y = {}, .pool = before};
      size_t at = 0;
      for (size_t s = 0; s < kBatch.spans.size(); ++s) {
        const Doubles carry = carry_of(before, s, kChannels * (kWidth - 1));
        std::vector<Doubles> history(kChannels);  // per channel: the inputs before, then this step's
        for (size_t c = 0; c < kChannels; ++c)
          for (size_t i = 0; i + 1 < kWidth; ++i) history[c].push_back(carry[c * (kWidth - 1) + i]);
        for (int32_t t = 0; t < kBatch.spans[s]; ++t, ++at)
          for (size_t c = 0; c < kChannels; ++c) {
            history[c].push_back(xs[at * kChannels + c]);
            double y = bs[c];
            for (size_t i = 0; i < kWidth; ++i) y += ws[c * kWidth + i] * history[c][history[c].size() - kWidth + i];
            wanted.y.push_back(y);
          }
        if (stateful && kBatch.spans[s] > 0)
          for (size_t c = 0; c < kChannels; ++c)
            for (size_t i = 0; i + 1 < kWidth; ++i)
              wanted.pool[(static_cast<size_t>(kBatch.slots[s]) * kChannels + c) * (kWidth - 1) + i] =
                  history[c][history[c].size() - (kWidth - 1) + i];
      }
      Recurred r = causal_conv(x, w, bias, m.span_start(kBatch), state);
      if (stateful) m.keep(state.pool, r.pool);
      expect(m.finish({r.y}, 1), wanted, direct::few_roundings(4));
    }
}

/// Heads of one channel, each with decays of its own, as in Mamba; and heads and groups as in Mamba-2.
struct ScanSizes {
  int64_t channels, heads, groups, state, decays;
};

void expect_scan(const ScanSizes& n, bool stateful) {
  Maker m("scan", op::selective_scan, sizes_of(kBatch));
  SelectiveScan o{.x = m.input({kTokens, n.channels}),
                  .dt = m.uniform({kTokens, n.heads}, 0.01f, 0.5f),
                  .a = m.uniform({n.heads, n.decays}, -3, -0.1f),
                  .b = m.input({kTokens, n.groups * n.state}),
                  .c = m.input({kTokens, n.groups * n.state}),
                  .d = m.input({n.heads}),
                  .groups = n.groups};
  Recurrent state = pool_of(m, {n.channels, n.state}, stateful);
  auto values = [&](Value v) { return direct::numbers(m.value_of(v)); };
  const Doubles x = values(o.x), dt = values(o.dt), a = values(o.a), b = values(o.b), c = values(o.c), d = values(o.d);
  const Doubles before = stateful ? values(state.pool) : Doubles{};
  Wanted wanted{.y = {}, .pool = before};
  int64_t at = 0;
  for (size_t s = 0; s < kBatch.spans.size(); ++s) {
    Doubles h = carry_of(before, s, static_cast<size_t>(n.channels * n.state));
    for (int32_t t = 0; t < kBatch.spans[s]; ++t, ++at)
      for (int64_t i = 0; i < n.channels; ++i) {
        const int64_t head = i / (n.channels / n.heads), group = i / (n.channels / n.groups);
        const auto element = [](const Doubles& list, int64_t index) { return list[static_cast<size_t>(index)]; };
        const double step = element(dt, at * n.heads + head), in = element(x, at * n.channels + i);
        double y = element(d, head) * in;
        for (int64_t k = 0; k < n.state; ++k) {
          double& carry = h[static_cast<size_t>(i * n.state + k)];
          const int64_t shared = (at * n.groups + group) * n.state + k;
          carry = std::exp(step * element(a, head * n.decays + k % n.decays)) * carry + step * element(b, shared) * in;
          y += element(c, shared) * carry;
        }
        wanted.y.push_back(y);
      }
    if (stateful && kBatch.spans[s] > 0)
      std::copy(h.begin(), h.end(),
                wanted.pool.begin() + static_cast<ptrdiff_t>(static_cast<size_t>(kBatch.slots[s]) * h.size()));
  }
  Recurred r = selective_scan(o, m.span_start(kBatch), state);
  if (stateful) m.keep(state.pool, r.pool);
  expect(m.finish({r.y}, 1), wanted, direct::few_roundings(6 * 5));
}

TEST(SelectiveScan, FollowsTheRecurrenceOfItsPaper) {
  for (bool stateful : {false, true}) expect_scan({5, 5, 1, 3, 3}, stateful);
}

TEST(SelectiveScan, SharesDecaysInAHeadAndInputsInAGroup) {
  for (bool stateful : {false, true}) {
    expect_scan({12, 6, 2, 3, 1}, stateful);
    expect_scan({12, 4, 4, 2, 2}, stateful);
  }
}

TEST(GatedDelta, CorrectsWhatItRecallsUnderAKey) {
  constexpr int64_t kKeyHeads = 2, kHeads = 6, kKey = 3, kValue = 5, kMatrix = kKey * kValue;
  for (bool stateful : {false, true}) {
    Maker m("delta", op::gated_delta, sizes_of(kBatch));
    const GatedDelta o{.q = m.input({kTokens, kKeyHeads, kKey}),
                       .k = m.uniform({kTokens, kKeyHeads, kKey}, -0.6f, 0.6f),
                       .v = m.input({kTokens, kHeads, kValue}),
                       .g = m.uniform({kTokens, kHeads}, -2, 0),
                       .beta = m.uniform({kTokens, kHeads}, 0, 1)};
    const Recurrent state = pool_of(m, {kHeads, kKey, kValue}, stateful);
    auto values = [&](Value v) { return direct::numbers(m.value_of(v)); };
    const Doubles q = values(o.q), k = values(o.k), v = values(o.v), g = values(o.g), beta = values(o.beta);
    Wanted wanted{.y = {}, .pool = stateful ? values(state.pool) : Doubles{}};
    const Doubles before = wanted.pool;
    const auto element_of = [](const Doubles& list, int64_t i) { return list[static_cast<size_t>(i)]; };
    int64_t at = 0;
    for (size_t s = 0; s < kBatch.spans.size(); ++s) {
      Doubles all = carry_of(before, s, static_cast<size_t>(kHeads * kMatrix));
      for (int32_t t = 0; t < kBatch.spans[s]; ++t, ++at)
        for (int64_t h = 0; h < kHeads; ++h) {
          const int64_t key = (at * kKeyHeads + h / (kHeads / kKeyHeads)) * kKey;
          for (int64_t c = 0; c < kValue; ++c) {
            double recalled = 0, y = 0;
            for (int64_t i = 0; i < kKey; ++i) {
              double& element = all[static_cast<size_t>(h * kMatrix + i * kValue + c)];
              element *= std::exp(element_of(g, at * kHeads + h));
              recalled += element * element_of(k, key + i);
            }
            for (int64_t i = 0; i < kKey; ++i) {
              double& element = all[static_cast<size_t>(h * kMatrix + i * kValue + c)];
              element += element_of(k, key + i) * element_of(beta, at * kHeads + h) *
                         (element_of(v, (at * kHeads + h) * kValue + c) - recalled);
              y += element * element_of(q, key + i);
            }
            wanted.y.push_back(y);
          }
        }
      if (stateful && kBatch.spans[s] > 0)
        std::copy(all.begin(), all.end(),
                  wanted.pool.begin() + static_cast<ptrdiff_t>(static_cast<size_t>(kBatch.slots[s]) * all.size()));
    }
    Recurred r = gated_delta(o, m.span_start(kBatch), state);
    if (stateful) m.keep(state.pool, r.pool);
    expect(m.finish({r.y}, 1), wanted, direct::few_roundings(8 * 5));
  }
}

/// A step of one sequence with both recurrent ops on states, to be run again and again.
Graph recurrent_step(int64_t channels, int64_t state, int64_t width, bool stateful) {
  Builder b;
  auto input = [&](const char* name, Shape shape, Format f) { return b.input(name, {std::move(shape), f, {}}); };
  const Format f32 = Format::f32, i32 = Format::i32;
  Value x = input("x", {kTokens, channels}, f32), start = input("span_start", {kSequences + 1}, i32);
  Recurrent conv_state, scan_state;
  if (stateful) {
    Value slots = input("slots", {kSequences}, i32), context = input("context", {kSequences}, i32);
    conv_state = {b.state("conv", {{kSlots, channels, width - 1}, f32, {}}, Lifetime::sequence), slots, context};
    scan_state = {b.state("ssm", {{kSlots, channels, state}, f32, {}}, Lifetime::sequence), slots, context};
  }
  Recurred c = causal_conv(x, input("w", {channels, width}, f32), {}, start, conv_state);
  SelectiveScan o{.x = c.y,
                  .dt = sigmoid(x),
                  .a = input("a", {channels, state}, f32),
                  .b = slice(c.y, 1, 0, state),
                  .c = slice(x, 1, 0, state),
                  .d = input("d", {channels}, f32)};
  Recurred s = selective_scan(o, start, scan_state);
  b.output("y", s.y);
  if (stateful) {
    b.state_result(conv_state.pool, c.pool);
    b.state_result(scan_state.pool, s.pool);
  }
  return b.finish();
}

TEST(Recurrences, APromptCutInAnyWayGivesTheBitsOfTheWhole) {
  constexpr int64_t kChannels = 6, kState = 4, kWidth = 4;
  constexpr int32_t kLength = 9;
  Maker m("numbers", op::scan);
  std::map<std::string, Tensor, std::less<>> fixed = {{"w", m.value_of(m.input({kChannels, kWidth}))},
                                                      {"a", m.value_of(m.uniform({kChannels, kState}, -2, -0.1f))},
                                                      {"d", m.value_of(m.input({kChannels}))}};
  const Tensor x = m.value_of(m.input({kLength, kChannels}));
  auto ints = [](std::vector<int32_t> values) {
    return Tensor::of({static_cast<int64_t>(values.size())}, std::span<const int32_t>(values));
  };
  auto feeds_for = [&](int32_t context, int32_t span) {
    oracle::Feeds feeds{.sizes = sizes_of({{span}, {context}, {3}}), .inputs = fixed, .parameters = {}, .states = {}};
    Tensor part = x;
    part.shape[0] = span;
    part.offset += static_cast<size_t>(context) * kChannels * sizeof(float);
    feeds.inputs["x"] = part;
    feeds.inputs["span_start"] = ints({0, span});
    feeds.inputs["slots"] = ints({3});
    feeds.inputs["context"] = ints({context});
    return feeds;
  };
  const Tensor wanted =
      oracle::interpret(recurrent_step(kChannels, kState, kWidth, false), feeds_for(0, kLength))[0].tensor;
  const oracle::Interpreter step(recurrent_step(kChannels, kState, kWidth, true));
  const std::vector<std::vector<int32_t>> kCuts = {{9}, {1, 8}, {2, 2, 5}, {4, 1, 4}, std::vector<int32_t>(9, 1)};
  for (const auto& cut : kCuts) {
    // What another request has left in the slot must not matter.
    StateMap states{{"conv", Tensor::make({5, kChannels, kWidth - 1}, Format::f32)},
                    {"ssm", Tensor::make({5, kChannels, kState}, Format::f32)}};
    for (auto& [name, state] : states) std::fill_n(state.data<float>(), state.elements(), NAN);
    int32_t context = 0;
    for (int32_t span : cut) {
      oracle::Feeds feeds = feeds_for(context, span);
      feeds.states = states;
      const Tensor y = step.run(feeds)[0].tensor;
      EXPECT_EQ(std::memcmp(y.bytes(), wanted.bytes() + context * kChannels * 4, y.byte_size()), 0)
          << context << "+" << span;
      context += span;
    }
    for (const auto& [name, state] : states)  // the other slots are as they were
      for (int64_t i = 0; i < 3 * state.elements() / 5; ++i) ASSERT_TRUE(std::isnan(state.data<float>()[i])) << name;
  }
}

// The second probe of the house: a recurrence of its own body, with its carry in a state.
TEST(Scan, CarriesAStateOfAnyBodyFromStepToStep) {
  Builder body;
  Value sum = body.input("sum", {{2}, Format::f32, {}}), x = body.input("x", {{2}, Format::f32, {}});
  Value factor = body.input("factor", {{}, Format::f32, {}});
  Value next = sum + x;
  body.output("sum", next);
  body.output("y", next * factor);
  auto region = std::make_shared<const Graph>(body.finish());

  Builder b;
  Value pool = b.state("sums", {{kSlots, 2}, Format::f32, {}}, Lifetime::sequence);
  ScanOperands operands{.pools = {pool},
                        .slots = b.input("slots", {{kSequences}, Format::i32, {}}),
                        .context = b.input("context", {{kSequences}, Format::i32, {}}),
                        .span_start = b.input("span_start", {{kSequences + 1}, Format::i32, {}}),
                        .rows = {b.input("x", {{kTokens, 2}, Format::f32, {}})},
                        .shared = {b.scalar(10)}};
  ScanResults r = scan(b, operands, region, 1);
  b.output("y", r.rows[0]);
  b.state_result(pool, r.pools[0]);
  const oracle::Interpreter step(b.finish());

  auto ints = [](std::vector<int32_t> v) {
    return Tensor::of({static_cast<int64_t>(v.size())}, std::span<const int32_t>(v));
  };
  auto floats = [](std::vector<float> v) {
    return Tensor::of({static_cast<int64_t>(v.size()) / 2, 2}, std::span<const float>(v));
  };
  oracle::Feeds feeds;
  feeds.states["sums"] = Tensor::make({3, 2}, Format::f32);
  feeds.sizes = sizes_of({{2, 1}, {0, 0}, {2, 0}});
  feeds.sizes[Symbol::slots] = 3;
  feeds.inputs = {{"slots", ints({2, 0})},
                  {"context", ints({0, 0})},
                  {"span_start", ints({0, 2, 3})},
                  {"x", floats({1, 2, 3, 4, 5, 6})}};
  EXPECT_EQ(direct::numbers(step.run(feeds)[0].tensor), (Doubles{10, 20, 40, 60, 50, 60}));
  EXPECT_EQ(direct::numbers(feeds.states["sums"]), (Doubles{5, 6, 0, 0, 4, 6}));

  feeds.sizes = sizes_of({{1}, {2}, {2}});
  feeds.sizes[Symbol::slots] = 3;
  feeds.inputs = {{"slots", ints({2})}, {"context", ints({2})}, {"span_start", ints({0, 1})}, {"x", floats({1, 1})}};
  EXPECT_EQ(direct::numbers(step.run(feeds)[0].tensor), (Doubles{50, 70}));
  EXPECT_EQ(direct::numbers(feeds.states["sums"]), (Doubles{5, 6, 0, 0, 5, 7}));
}

}  // namespace
}  // namespace braid
