// What the scheduler does with pages and slots, checked on a model of a device's memory: pages hold the tokens that
// were written to them, slots the tokens that their sequence has seen. Before each step the copies are made, and then
// every sequence must find its own past.

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "core/error.h"
#include "engine/scheduler.h"

namespace braid {
namespace {

class Device {
 public:
  explicit Device(const SchedulerLimits& limits)
      : limits_(limits),
        pools_{Pool(static_cast<size_t>(limits.pages)), Pool(static_cast<size_t>(limits.window_pages))},
        slots_(static_cast<size_t>(limits.slots)) {
    for (Pool& pool : pools_)
      for (auto& page : pool) page.assign(static_cast<size_t>(limits.page_size), kNothing);
  }

  /// `tokens_of`: all known tokens of a span's sequence.
  template <class TokensOf>
  void run(const Batch& batch, const TokensOf& tokens_of) {
    for (size_t g = 0; g < kPageGroups; ++g) copy(batch.copies.pages[g], pools_[g]);
    copy(batch.copies.slots, slots_);
    int64_t at = 0;
    for (size_t i = 0; i < batch.spans.size(); ++i) {
      const Span& span = batch.spans[i];
      const std::vector<int32_t>& tokens = tokens_of(span);
      std::vector<int32_t>& slot = slots_[static_cast<size_t>(span.slot)];
      if (span.context == 0) slot.clear();
      ASSERT_EQ(slot, std::vector<int32_t>(tokens.begin(), tokens.begin() + span.context)) << "the slot's state";
      for (int64_t t = 0; t < span.tokens; ++t) {
        const int32_t token = batch.token_ids[static_cast<size_t>(at++)];
        ASSERT_EQ(token, tokens[static_cast<size_t>(span.context + t)]);
        slot.push_back(token);
        for (size_t g = 0; g < kPageGroups; ++g)
          if (holds(g)) cell(g, batch.pages[g][i], span.context + t) = token;
      }
      for (size_t g = 0; g < kPageGroups; ++g)
        if (holds(g)) find_all(g, batch.pages[g][i], tokens, span);
    }
  }
  size_t most_window_pages = 0;  // of one sequence with one token in its step

 private:
  using Pool = std::vector<std::vector<int32_t>>;
  static constexpr int32_t kNothing = -1;

  bool holds(size_t group) const { return group == 0 ? limits_.pages > 0 : limits_.window > 0; }

  static void copy(const std::vector<Copies::Copy>& copies, Pool& pool) {
    std::set<int32_t> to;
    for (const Copies::Copy& c : copies) {
      EXPECT_TRUE(to.insert(c.to).second) << "written twice";
      pool[static_cast<size_t>(c.to)] = pool[static_cast<size_t>(c.from)];
    }
    for (const Copies::Copy& c : copies) EXPECT_FALSE(to.contains(c.from)) << "read and written";
  }

  int32_t& cell(size_t group, const std::vector<int32_t>& pages, int64_t position) {
    const int32_t page = pages.at(static_cast<size_t>(position / limits_.page_size));
    EXPECT_GE(page, 0) << "a page that is needed has gone";
    return pools_[group].at(static_cast<size_t>(std::max(page, 0)))[static_cast<size_t>(position % limits_.page_size)];
  }

  void find_all(size_t group, const std::vector<int32_t>& pages, const std::vector<int32_t>& tokens, const Span& span) {
    const int64_t first = group == 0 ? 0 : std::max<int64_t>(0, span.context - limits_.window + 1);
    for (int64_t p = first; p < span.context + span.tokens; ++p)
      ASSERT_EQ(cell(group, pages, p), tokens[static_cast<size_t>(p)]) << "position " << p;
    const auto live = static_cast<size_t>(std::ranges::count_if(pages, [](int32_t page) { return page >= 0; }));
    if (group == 1 && span.tokens == 1) most_window_pages = std::max(most_window_pages, live);
  }

  SchedulerLimits limits_;
  Pool pools_[kPageGroups];
  Pool slots_;
};

/// Random requests of one or several sequences, whose outcomes branch at random.
class Traffic {
 public:
  Traffic(const SchedulerLimits& limits, uint64_t seed)
      : limits_(limits), scheduler(limits), device(limits), random_(seed) {}

  void run(int64_t steps, int64_t most_sequences) {
    most_sequences_ = most_sequences;
    for (int64_t i = 0; i < steps; ++i) {
      if (below(4) == 0 && known_.size() < 12) add();
      if (below(40) == 0 && !known_.empty()) cancel();
      step();
      if (testing::Test::HasFailure()) return;
    }
    for (int64_t i = 0; !known_.empty() && i < 100'000; ++i) step();
    EXPECT_TRUE(known_.empty()) << "everything finishes";
    EXPECT_EQ(scheduler.free_pages(PageGroup::context), static_cast<size_t>(limits_.pages));
    EXPECT_EQ(scheduler.free_pages(PageGroup::window), static_cast<size_t>(limits_.window_pages));
    EXPECT_EQ(scheduler.free_slots(), static_cast<size_t>(limits_.slots));
  }

 private:
  struct Known {
    int64_t width = 1, prompt = 0;
    std::vector<std::vector<int32_t>> sequences = {};
    int64_t scored = 0;
    bool scores = false;
  };
  int64_t below(int64_t n) { return std::uniform_int_distribution<int64_t>(0, n - 1)(random_); }

 public:
  SchedulerLimits limits_;
  Scheduler scheduler;
  Device device;
  int64_t finished = 0, branched = 0, died = 0;

 private:
  void add() {
    const int64_t width = 1 + below(most_sequences_), most = limits_.context / (width > 1 ? 4 : 2);
    std::vector<int32_t> prompt(static_cast<size_t>(1 + below(most)));
    for (int32_t& id : prompt) id = static_cast<int32_t>(below(1000));
    const bool scores = below(4) == 0;
    try {
      const RequestId id =
          scheduler.add({.prompt = prompt, .max_tokens = 1 + below(most), .sequences = width, .prompt_logits = scores});
      known_[id] = {
          .width = width, .prompt = static_cast<int64_t>(prompt.size()), .sequences = {prompt}, .scores = scores};
    } catch (const UsageError&) {  // more pages than there are
    }
  }

  void cancel() {
    const auto chosen = std::next(known_.begin(), below(static_cast<int64_t>(known_.size())));
    ASSERT_TRUE(scheduler.cancel(chosen->first));
    known_.erase(chosen);
  }

  void step() {
    const Batch batch = scheduler.next();
    ASSERT_FALSE(batch.empty() && !known_.empty()) << "idle while requests wait";
    if (batch.empty()) return;
    int64_t rows = 0;
    for (const Span& span : batch.spans) rows += span.rows;
    if (limits_.rows > 0) {
      ASSERT_LE(rows, limits_.rows);
    }
    ASSERT_LE(static_cast<int64_t>(batch.token_ids.size()), limits_.step_tokens);
    device.run(batch, [&](const Span& s) -> const std::vector<int32_t>& {
      return known_.at(s.id).sequences.at(static_cast<size_t>(s.sequence));
    });
    if (testing::Test::HasFatalFailure()) return;
    std::vector<Outcome> outcomes;
    std::map<RequestId, Outcome> by_id;
    for (size_t i = 0; i < batch.spans.size(); ++i) {
      const Span& span = batch.spans[i];
      check_rows(span);
      if (!span.sampled || (i > 0 && batch.spans[i - 1].id == span.id)) continue;
      const auto together = std::ranges::count(batch.spans, span.id, &Span::id);
      ASSERT_EQ(static_cast<size_t>(together), known_.at(span.id).sequences.size())
          << "all run their last tokens at once";
      outcomes.push_back(outcome_of(known_.at(span.id)));
      by_id[span.id] = outcomes.back();
    }
    for (const Progress& p : scheduler.commit(batch, outcomes)) follow(p, by_id.at(p.id));
  }

  /// The rows of a prompt that is scored come once each, in order.
  void check_rows(const Span& span) {
    Known& k = known_.at(span.id);
    if (!k.scores || k.scored >= k.prompt) {
      ASSERT_EQ(span.rows, span.sampled ? 1 : 0);
      return;
    }
    const int64_t end = span.context + span.tokens;
    if (end <= k.scored) {
      ASSERT_EQ(span.rows, 0) << "computed again";
      return;
    }
    ASSERT_EQ(end - span.rows, k.scored);
    k.scored = end;
  }

  Outcome outcome_of(const Known& known) {
    if (known.width == 1) return {.token = static_cast<int32_t>(below(1000)), .stop = below(60) == 0};
    Outcome out;
    if (below(60) == 0) return out;  // over
    const int64_t count = 1 + below(known.width), parents = static_cast<int64_t>(known.sequences.size());
    for (int64_t i = 0; i < count; ++i)
      out.next.push_back({static_cast<int32_t>(below(parents)), static_cast<int32_t>(below(1000))});
    return out;
  }

  void follow(const Progress& p, const Outcome& outcome) {
    Known& known = known_.at(p.id);
    if (p.finished != FinishReason::none) {
      ++finished;
      known_.erase(p.id);
      return;
    }
    std::vector<std::vector<int32_t>> next;
    if (known.width == 1) {
      next = known.sequences;
      next[0].push_back(outcome.token);
    }
    std::set<int32_t> parents;
    for (const Branch& b : outcome.next) {
      branched += parents.insert(b.parent).second ? 0 : 1;
      next.push_back(known.sequences.at(static_cast<size_t>(b.parent)));
      next.back().push_back(b.token);
    }
    if (known.width > 1) died += static_cast<int64_t>(known.sequences.size() - parents.size());
    known.sequences = std::move(next);
  }

  std::mt19937_64 random_;
  std::map<RequestId, Known> known_;
  int64_t most_sequences_ = 1;
};

TEST(SchedulerStates, EverySequenceFindsItsPastWhateverBranchesAndWhoIsPreempted) {
  Traffic traffic({.context = 80, .step_tokens = 16, .slots = 8, .page_size = 4, .pages = 30}, 1);
  traffic.run(20'000, 5);
  EXPECT_GT(traffic.finished, 500);
  EXPECT_GT(traffic.branched, 1000);
  EXPECT_GT(traffic.died, 1000);
  EXPECT_GT(traffic.scheduler.preemptions(), 50u) << "the pool was never short: nothing was tested";
}

TEST(SchedulerStates, PagesThatLeftTheWindowServeOthers) {
  const SchedulerLimits limits{.context = 80,
                               .step_tokens = 12,
                               .slots = 6,
                               .page_size = 4,
                               .pages = 80,
                               .window = 10,
                               .window_pages = window_pages({6, 10, 12, 4, 80})};
  ASSERT_LT(limits.window_pages, 6 * 20) << "a whole context for each sequence";
  Traffic traffic(limits, 2);
  traffic.run(20'000, 3);
  EXPECT_GT(traffic.finished, 500);
  EXPECT_EQ(traffic.device.most_window_pages, 4u) << "10 tokens lie in at most 4 pages of 4: the window and one more";
}

TEST(SchedulerStates, AModelOfWindowsAloneHasNoOtherPages) {
  Traffic traffic({.context = 200,
                   .step_tokens = 20,
                   .slots = 4,
                   .page_size = 8,
                   .window = 16,
                   .window_pages = window_pages({4, 16, 20, 8, 200})},
                  3);
  traffic.run(8'000, 1);
  EXPECT_GT(traffic.finished, 50);
  EXPECT_EQ(traffic.device.most_window_pages, 3u);
}

TEST(SchedulerStates, RowsStayUnderTheirBound) {
  Traffic traffic({.context = 64, .step_tokens = 24, .slots = 6, .page_size = 8, .pages = 48, .rows = 7}, 4);
  traffic.run(8'000, 3);
  EXPECT_GT(traffic.finished, 200);
}

TEST(Scheduler, RefusesMoreSequencesThanAStepHolds) {
  Scheduler scheduler({.context = 64, .step_tokens = 8, .slots = 4, .page_size = 4, .pages = 32});
  EXPECT_THROW(scheduler.add({.prompt = {1}, .max_tokens = 2, .sequences = 5}), UsageError);
  EXPECT_THROW(scheduler.add({.prompt = {1}, .max_tokens = 2, .sequences = 0}), UsageError);
  EXPECT_THROW(scheduler.add({.prompt = {1}, .max_tokens = 40, .sequences = 4}), UsageError) << "40 of 32 pages";
  EXPECT_NO_THROW(scheduler.add({.prompt = {1}, .max_tokens = 30, .sequences = 4}));
}

TEST(PagePool, FreesAPageWithItsLastOwner) {
  PagePool pool(2);
  const int32_t page = pool.take();
  EXPECT_EQ(page, 0) << "low numbers first";
  pool.share(page);
  pool.release(page);
  EXPECT_EQ(pool.free(), 1u);
  EXPECT_EQ(pool.owners(page), 1);
  pool.release(page);
  EXPECT_EQ(pool.free(), 2u);
}

TEST(WindowPages, NeverExceedWholeContexts) {
  EXPECT_EQ(window_pages({3, 0, 64, 16, 1000}), 0) << "no window";
  EXPECT_EQ(window_pages({3, 4096, 64, 16, 100}), 3 * 7);
  EXPECT_EQ(window_pages({2, 33, 64, 16, 10'000}), 2 * 4 + 4);
}

}  // namespace
}  // namespace braid
