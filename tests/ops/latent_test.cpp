// Attention over latents against a direct computation, with keys and values made from the latents as attention without
// absorption does.
#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/direct.h"

namespace braid {
namespace {

using direct::Doubles;
using samples::Batch;
using samples::Maker;
using samples::Sample;

const Dim kTokens(Symbol::tokens);
constexpr int64_t kHeads = 3, kWidth = 6, kValue = 4, kPageSize = 4, kPages = 17, kMaxPages = 5;
constexpr double kScale = 0.4;
const std::vector<Batch> kBatches = {
    {{1}, {0}, {0}}, {{7}, {0}, {1}}, {{3, 0, 1, 5}, {0, 2, 9, 4}, {2, 0, 1, 3}}, {{1, 1}, {15, 3}, {1, 0}}};

/// The last `span` queries of a sequence over its latents (length, kWidth).
void attend_history(const double* q, const Doubles& latents, int64_t span, Doubles& out) {
  const int64_t length = static_cast<int64_t>(latents.size()) / kWidth;
  for (int64_t t = 0; t < span; ++t)
    for (int64_t h = 0; h < kHeads; ++h) {
      Doubles y(kValue, 0.0);
      double sum = 0;
      for (int64_t i = 0; i < length - span + t + 1; ++i) {
        const double* latent = &latents[static_cast<size_t>(i * kWidth)];
        double score = 0;
        for (int64_t d = 0; d < kWidth; ++d) score += q[(t * kHeads + h) * kWidth + d] * latent[d];
        const double weight = std::exp(score * kScale);
        sum += weight;
        for (size_t d = 0; d < y.size(); ++d) y[d] += weight * latent[d];
      }
      for (const double value : y) out.push_back(value / sum);
    }
}

TEST(AttendLatent, WithoutACacheEachTokenSeesItsOwnSequence) {
  for (const Batch& batch : kBatches) {
    Maker m("latent", op::attend_latent, batch.sizes());
    const Value q = m.input({kTokens, kHeads, kWidth}), latent = m.input({kTokens, kWidth});
    const Doubles qs = direct::numbers(m.value_of(q)), rows = direct::numbers(m.value_of(latent));
    const Value y = attend_latent(q, latent, m.span_start(batch), {}, {.scale = kScale, .value_width = kValue}).y;
    Doubles wanted;
    int64_t at = 0;
    for (const int32_t span : batch.spans) {
      const Doubles own(rows.begin() + at * kWidth, rows.begin() + (at + span) * kWidth);
      attend_history(qs.data() + at * kHeads * kWidth, own, span, wanted);
      at += span;
    }
    EXPECT_LE(direct::error(direct::run(m.finish({y}, 1))[0], wanted), direct::few_roundings(16));
  }
}

TEST(AttendLatent, PagesHoldTheLatentsOfEarlierSteps) {
  for (const Batch& batch : kBatches) {
    SymbolValues sizes = batch.sizes();
    sizes[Symbol::pages] = kPages;
    Maker m("latent paged", op::attend_latent, sizes);
    const Value q = m.input({kTokens, kHeads, kWidth}), latent = m.input({kTokens, kWidth});
    const LatentPages pages{.state = m.state({Symbol::pages, kWidth, kPageSize}, Lifetime::token),
                            .context = m.context(batch),
                            .page_table = m.page_table(batch, kPageSize, kPages, kMaxPages)};
    const Doubles qs = direct::numbers(m.value_of(q)), rows = direct::numbers(m.value_of(latent)),
                  pool = direct::numbers(m.value_of(pages.state));
    const Tensor table = m.value_of(pages.page_table);
    const AttendedLatent a =
        attend_latent(q, latent, m.span_start(batch), pages, {.scale = kScale, .value_width = kValue});
    m.keep(pages.state, a.state);

    Doubles wanted, wanted_pool = pool;
    int64_t at = 0;
    for (size_t s = 0; s < batch.spans.size(); ++s) {
      const auto place = [&](int64_t position, int64_t d) {
        const int64_t page = table.data<int32_t>()[static_cast<int64_t>(s) * kMaxPages + position / kPageSize];
        return static_cast<size_t>((page * kWidth + d) * kPageSize + position % kPageSize);
      };
      Doubles history;
      for (int64_t i = 0; i < batch.contexts[s]; ++i)
        for (int64_t d = 0; d < kWidth; ++d) history.push_back(pool[place(i, d)]);
      for (int64_t i = 0; i < batch.spans[s]; ++i)
        for (int64_t d = 0; d < kWidth; ++d) {
          history.push_back(rows[static_cast<size_t>((at + i) * kWidth + d)]);
          wanted_pool[place(batch.contexts[s] + i, d)] = history.back();
        }
      attend_history(qs.data() + at * kHeads * kWidth, history, batch.spans[s], wanted);
      at += batch.spans[s];
    }
    const Sample sample = m.finish({a.y}, 1);
    oracle::Feeds feeds = sample.feeds();
    const auto outputs = oracle::interpret(sample.graph, feeds);
    EXPECT_LE(direct::error(outputs[0].tensor, wanted), direct::few_roundings(16));
    EXPECT_EQ(direct::error(feeds.states.begin()->second, wanted_pool), 0);
  }
}

TEST(AttendLatent, RefusesAValueWiderThanTheLatent) {
  Maker m("latent", op::attend_latent, kBatches[0].sizes());
  const Value q = m.input({kTokens, kHeads, kWidth}), latent = m.input({kTokens, kWidth});
  EXPECT_THROW(attend_latent(q, latent, m.span_start(kBatches[0]), {}, {.value_width = kWidth + 1}), ShapeError);
}

}  // namespace
}  // namespace braid
