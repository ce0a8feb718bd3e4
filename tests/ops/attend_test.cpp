// Attention in its three forms against a direct computation, and that garbage in caches stays there.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "ops/direct.h"

namespace braid {
namespace {

using direct::Doubles;
using samples::Batch;
using samples::Maker;
using samples::Sample;

const Dim kTokens(Symbol::tokens), kSequences(Symbol::sequences), kPages(Symbol::pages);
constexpr int64_t kHeads = 6, kKvHeads = 2, kHeadDim = 8, kPageSize = 4, kMaxPages = 5;
constexpr double kScale = 0.35;
const double kAllowed = direct::few_roundings(16);

/// One query head over n keys: keys(i), values(i) give the rows.
Doubles attend_one(const double* q, int64_t n, const std::function<const double*(int64_t)>& keys,
                   const std::function<const double*(int64_t)>& values) {
  Doubles weights(static_cast<size_t>(n)), y(kHeadDim, 0.0);
  double greatest = -INFINITY, sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    double& score = weights[static_cast<size_t>(i)];
    for (int64_t d = 0; d < kHeadDim; ++d) score += q[d] * keys(i)[d];
    score *= kScale;
    greatest = std::max(greatest, score);
  }
  for (double& w : weights) sum += w = std::exp(w - greatest);
  for (int64_t i = 0; i < n; ++i)
    for (size_t d = 0; d < y.size(); ++d) y[d] += weights[static_cast<size_t>(i)] / sum * values(i)[d];
  return y;
}

/// A sequence's whole history, keys and values (length, kv_heads, head_dim): attention of its last `span` tokens.
Doubles attend_history(const Doubles& q, const Doubles& k, const Doubles& v, int64_t span, bool causal) {
  const int64_t length = static_cast<int64_t>(k.size()) / (kKvHeads * kHeadDim);
  Doubles out;
  for (int64_t t = 0; t < span; ++t)
    for (int64_t h = 0; h < kHeads; ++h) {
      const int64_t kv = h / (kHeads / kKvHeads);
      auto row = [&](const Doubles& x) {
        return [&x, kv](int64_t i) { return &x[static_cast<size_t>((i * kKvHeads + kv) * kHeadDim)]; };
      };
      const int64_t seen = causal ? length - span + t + 1 : length;
      const Doubles y = attend_one(&q[static_cast<size_t>((t * kHeads + h) * kHeadDim)], seen, row(k), row(v));
      out.insert(out.end(), y.begin(), y.end());
    }
  return out;
}

Doubles rows(const Doubles& x, int64_t begin, int64_t count, int64_t width) {
  return {x.begin() + begin * width, x.begin() + (begin + count) * width};
}
void append(Doubles& to, const Doubles& more) { to.insert(to.end(), more.begin(), more.end()); }

const std::vector<Batch> kBatches = {
    {{1}, {0}, {0}}, {{7}, {0}, {1}}, {{3, 0, 1, 5}, {0, 2, 9, 4}, {2, 0, 1, 3}}, {{1, 1}, {15, 3}, {1, 0}}};

TEST(Attend, WithoutACacheEachTokenSeesItsOwnSequence) {
  for (const Batch& batch : kBatches)
    for (bool causal : {true, false}) {
      Maker m("attend", op::attend, batch.sizes());
      Value q = m.input({kTokens, kHeads, kHeadDim}), k = m.input({kTokens, kKvHeads, kHeadDim}),
            v = m.input({kTokens, kKvHeads, kHeadDim});
      const Doubles qs = direct::numbers(m.value_of(q)), ks = direct::numbers(m.value_of(k)),
                    vs = direct::numbers(m.value_of(v));
      Value y = attend(q, k, v, m.span_start(batch), {.scale = kScale, .causal = causal});
      const Sample sample = m.finish({y}, 1);
      Doubles wanted;
      int64_t at = 0;
      for (int32_t span : batch.spans) {
        append(wanted, attend_history(rows(qs, at, span, kHeads * kHeadDim), rows(ks, at, span, kKvHeads * kHeadDim),
                                      rows(vs, at, span, kKvHeads * kHeadDim), span, causal));
        at += span;
      }
      EXPECT_LE(direct::error(direct::run(sample)[0], wanted), kAllowed);
    }
}

/// A paged step whose cache holds NaN wherever no sequence has written.
struct PagedStep {
  Sample sample;
  std::string k_name, v_name;
  Doubles wanted;
};

PagedStep paged_step(const Batch& batch, Format format, bool causal) {
  constexpr int64_t kPageCount = 13;
  SymbolValues sizes = batch.sizes();
  sizes[Symbol::pages] = kPageCount;
  Maker m("paged", op::attend, sizes);
  Value q = m.input({kTokens, kHeads, kHeadDim}), k = m.input({kTokens, kKvHeads, kHeadDim}),
        v = m.input({kTokens, kKvHeads, kHeadDim});
  Value k_state = m.state({kPages, kKvHeads, kHeadDim, kPageSize}, Lifetime::token, format),
        v_state = m.state({kPages, kKvHeads, kPageSize, kHeadDim}, Lifetime::token, format);
  Value table = m.page_table(batch, kPageSize, kPageCount, kMaxPages);
  const Doubles qs = direct::numbers(m.value_of(q)), ks = direct::numbers(m.value_of(k)),
                vs = direct::numbers(m.value_of(v));
  const Doubles k_old = direct::numbers(m.value_of(k_state)), v_old = direct::numbers(m.value_of(v_state));
  const int32_t* pages = m.value_of(table).data<int32_t>();
  const FormatOps& ops = format_ops(format);
  const size_t bytes = info(format).block_bytes;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (Value s : {k_state, v_state})
    for (int64_t i = 0; i < m.value_of(s).elements(); ++i)
      ops.encode({&nan, 1}, m.value_of(s).bytes() + static_cast<size_t>(i) * bytes);

  PagedStep step;
  int64_t at = 0;
  for (size_t s = 0; s < batch.spans.size(); ++s) {
    Doubles keys, values;  // (context + span, kv_heads, head_dim)
    for (int64_t p = 0; p < batch.contexts[s]; ++p)
      for (int64_t h = 0; h < kKvHeads; ++h)
        for (int64_t d = 0; d < kHeadDim; ++d) {
          const int64_t page = pages[static_cast<int64_t>(s) * kMaxPages + p / kPageSize], slot = p % kPageSize;
          const auto ki = static_cast<size_t>(((page * kKvHeads + h) * kHeadDim + d) * kPageSize + slot);
          const auto vi = static_cast<size_t>(((page * kKvHeads + h) * kPageSize + slot) * kHeadDim + d);
          keys.push_back(k_old[ki]);
          values.push_back(v_old[vi]);
          const auto kf = static_cast<float>(k_old[ki]), vf = static_cast<float>(v_old[vi]);
          ops.encode({&kf, 1}, m.value_of(k_state).bytes() + ki * bytes);
          ops.encode({&vf, 1}, m.value_of(v_state).bytes() + vi * bytes);
        }
    auto stored = [&](Doubles x) {  // what the cache keeps of new rows
      for (double& e : x) {
        std::byte code[8];
        const auto number = static_cast<float>(e);
        float kept;
        ops.encode({&number, 1}, code);
        ops.decode(code, {&kept, 1});
        e = kept;
      }
      return x;
    };
    append(keys, stored(rows(ks, at, batch.spans[s], kKvHeads * kHeadDim)));
    append(values, stored(rows(vs, at, batch.spans[s], kKvHeads * kHeadDim)));
    append(step.wanted,
           attend_history(rows(qs, at, batch.spans[s], kHeads * kHeadDim), keys, values, batch.spans[s], causal));
    at += batch.spans[s];
  }
  Attended a = attend_paged(q, k, v, {k_state, v_state, m.span_start(batch), m.context(batch), table},
                            {.scale = kScale, .causal = causal});
  m.keep(k_state, a.k_state);
  m.keep(v_state, a.v_state);
  step.sample = m.finish({a.y}, 1);
  return step;
}

TEST(Attend, OverPagesSeesWhatIsCachedAndNothingBeyondBeItNaN) {
  for (const Batch& batch : kBatches)
    for (Format format : {Format::f32, Format::f16, Format::bf16})
      for (bool causal : {true, false}) {
        const PagedStep step = paged_step(batch, format, causal);
        EXPECT_LE(direct::error(direct::run(step.sample)[0], step.wanted), kAllowed) << info(format).name;
      }
}

TEST(Attend, OverPagesWritesTheNewTokensAndLeavesTheRestAlone) {
  const Batch batch{{3, 1}, {2, 7}, {0, 1}};
  const PagedStep step = paged_step(batch, Format::f32, true);
  oracle::Feeds feeds = step.sample.feeds();
  const oracle::Feeds before = step.sample.feeds();
  oracle::interpret(step.sample.graph, feeds);
  for (const auto& [name, state] : feeds.states) {
    int64_t changed = 0;
    for (int64_t i = 0; i < state.elements(); ++i)
      changed += std::memcmp(state.data<float>() + i, before.states.at(name).data<float>() + i, 4) != 0;
    EXPECT_EQ(changed, batch.tokens() * kKvHeads * kHeadDim);
  }
}

TEST(Attend, OverASourceReadsTheSlotOfEachSequence) {
  const Batch batch{{2, 1, 3}, {0, 5, 0}, {3, 0, 3}};
  constexpr int64_t kLength = 7;
  SymbolValues sizes = batch.sizes();
  sizes[Symbol::source_slots] = 4;
  Maker m("source", op::attend, sizes);
  Value q = m.input({kTokens, kHeads, kHeadDim});
  Value k = m.state({Symbol::source_slots, kKvHeads, kHeadDim, kLength}, Lifetime::source);
  Value v = m.state({Symbol::source_slots, kKvHeads, kLength, kHeadDim}, Lifetime::source);
  const Doubles qs = direct::numbers(m.value_of(q)), k_pool = direct::numbers(m.value_of(k)),
                v_pool = direct::numbers(m.value_of(v));
  Doubles ks(k_pool.size()), vs(v_pool.size());  // (slots, length, heads, head_dim)
  for (int64_t slot = 0; slot < 4; ++slot)
    for (int64_t i = 0; i < kLength; ++i)
      for (int64_t h = 0; h < kKvHeads; ++h)
        for (int64_t d = 0; d < kHeadDim; ++d) {
          const auto to = static_cast<size_t>(((slot * kLength + i) * kKvHeads + h) * kHeadDim + d);
          const int64_t head = slot * kKvHeads + h;
          ks[to] = k_pool[static_cast<size_t>((head * kHeadDim + d) * kLength + i)];
          vs[to] = v_pool[static_cast<size_t>((head * kLength + i) * kHeadDim + d)];
        }
  Value y = attend_source(q, k, v, m.span_start(batch), m.slots(batch), {.scale = kScale, .causal = false});
  const Sample sample = m.finish({y}, 1);
  Doubles wanted;
  int64_t at = 0;
  for (size_t s = 0; s < batch.spans.size(); ++s) {
    const int64_t width = kLength * kKvHeads * kHeadDim;
    append(wanted, attend_history(rows(qs, at, batch.spans[s], kHeads * kHeadDim), rows(ks, batch.slots[s], 1, width),
                                  rows(vs, batch.slots[s], 1, width), batch.spans[s], false));
    at += batch.spans[s];
  }
  EXPECT_LE(direct::error(direct::run(sample)[0], wanted), kAllowed);
}

TEST(Attend, ANaNInOneSequenceStaysThere) {
  const Batch batch{{4, 3}, {0, 0}, {0, 1}};
  for (bool paged : {false, true}) {
    SymbolValues sizes = batch.sizes();
    sizes[Symbol::pages] = 4;
    Maker m("nan", op::attend, sizes);
    Value q = m.input({kTokens, kHeads, kHeadDim}), k = m.input({kTokens, kKvHeads, kHeadDim}),
          v = m.input({kTokens, kKvHeads, kHeadDim});
    m.value_of(k).data<float>()[0] = NAN;  // the first token of the first sequence
    m.value_of(v).data<float>()[0] = INFINITY;
    const Attend how{.scale = kScale, .causal = true};
    Value y;
    if (paged) {
      Value k_state = m.state({kPages, kKvHeads, kHeadDim, kPageSize}, Lifetime::token),
            v_state = m.state({kPages, kKvHeads, kPageSize, kHeadDim}, Lifetime::token);
      Attended a = attend_paged(
          q, k, v, {k_state, v_state, m.span_start(batch), m.context(batch), m.page_table(batch, kPageSize, 4, 2)},
          how);
      m.keep(k_state, a.k_state);
      m.keep(v_state, a.v_state);
      y = a.y;
    } else {
      y = attend(q, k, v, m.span_start(batch), how);
    }
    const Tensor out = direct::run(m.finish({y}, 1))[0];
    const int64_t row = kHeads * kHeadDim;
    EXPECT_TRUE(std::isnan(out.data<float>()[0]));
    for (int64_t i = 4 * row; i < 7 * row; ++i) ASSERT_TRUE(std::isfinite(out.data<float>()[i])) << i;
  }
}

/// Feeds one prompt in pieces through the paged form and compares with the cacheless form of the whole.
TEST(Attend, APromptCutInAnyWayGivesTheBitsOfTheWhole) {
  constexpr int64_t kLength = 11, kPageCount = 7;
  const Batch whole{{kLength}, {0}, {0}};
  Maker m("whole", op::attend, whole.sizes());
  Value q = m.input({kTokens, kHeads, kHeadDim}), k = m.input({kTokens, kKvHeads, kHeadDim}),
        v = m.input({kTokens, kKvHeads, kHeadDim});
  const Tensor all_q = m.value_of(q), all_k = m.value_of(k), all_v = m.value_of(v);
  const Attend how{.scale = kScale, .causal = true};
  const Tensor wanted = direct::run(m.finish({attend(q, k, v, m.span_start(whole), how)}, 1))[0];

  const std::vector<std::vector<int32_t>> kCuts = {
      {11}, {1, 10}, {4, 4, 3}, {3, 5, 1, 1, 1}, std::vector<int32_t>(11, 1)};
  for (const auto& cut : kCuts) {
    StateMap states{{"k", Tensor::make({kPageCount, kKvHeads, kHeadDim, kPageSize}, Format::f32)},
                    {"v", Tensor::make({kPageCount, kKvHeads, kPageSize, kHeadDim}, Format::f32)}};
    Builder b;
    auto input = [&](const char* name, Shape shape, Format f) { return b.input(name, {std::move(shape), f, {}}); };
    Value sq = input("q", {kTokens, kHeads, kHeadDim}, Format::f32),
          sk = input("k", {kTokens, kKvHeads, kHeadDim}, Format::f32),
          sv = input("v", {kTokens, kKvHeads, kHeadDim}, Format::f32);
    Value k_state = b.state("k", {{kPages, kKvHeads, kHeadDim, kPageSize}, Format::f32, {}}, Lifetime::token);
    Value v_state = b.state("v", {{kPages, kKvHeads, kPageSize, kHeadDim}, Format::f32, {}}, Lifetime::token);
    Attended a =
        attend_paged(sq, sk, sv,
                     {k_state, v_state, input("span_start", {kSequences + 1}, Format::i32),
                      input("context", {kSequences}, Format::i32), input("table", {kSequences, 3}, Format::i32)},
                     how);
    b.output("y", a.y);
    b.state_result(k_state, a.k_state);
    b.state_result(v_state, a.v_state);
    const oracle::Interpreter step(b.finish());
    int32_t context = 0;
    for (int32_t span : cut) {
      oracle::Feeds feeds;
      feeds.sizes = Batch{{span}, {context}, {0}}.sizes();
      feeds.sizes[Symbol::pages] = kPageCount;
      auto part = [&](const Tensor& x) {
        Tensor piece = x;
        piece.shape[0] = span;
        piece.offset += static_cast<size_t>(context) * x.byte_size() / kLength;
        return piece;
      };
      auto ints = [](std::vector<int64_t> shape, std::vector<int32_t> values) {
        return Tensor::of(std::move(shape), std::span<const int32_t>(values));
      };
      feeds.inputs = {{"q", part(all_q)},
                      {"k", part(all_k)},
                      {"v", part(all_v)},
                      {"span_start", ints({2}, {0, span})},
                      {"context", ints({1}, {context})},
                      {"table", ints({1, 3}, {6, 2, 5})}};
      feeds.states = states;
      const Tensor y = step.run(feeds)[0].tensor;
      EXPECT_EQ(std::memcmp(y.bytes(), part(wanted).bytes(), y.byte_size()), 0) << context << "+" << span;
      context += span;
    }
  }
}

}  // namespace
}  // namespace braid
