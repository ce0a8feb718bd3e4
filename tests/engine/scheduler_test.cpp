#include "engine/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "core/error.h"

namespace braid {
namespace {

std::vector<int32_t> prompt_of(int64_t tokens) {
  std::vector<int32_t> ids(static_cast<size_t>(tokens));
  std::iota(ids.begin(), ids.end(), 100);
  return ids;
}

/// Every sampled span gets this token.
std::vector<Progress> commit_all(Scheduler& scheduler, const Batch& batch, Outcome outcome = {.token = 7}) {
  const auto sampled = std::ranges::count(batch.spans, true, &Span::sampled);
  return scheduler.commit(batch, std::vector<Outcome>(static_cast<size_t>(sampled), outcome));
}

constexpr SchedulerLimits kLimits{.context = 64, .step_tokens = 8, .slots = 4, .page_size = 4, .pages = 32};

TEST(Scheduler, CutsALongPromptIntoStepsUnderTheBudgetAndSamplesAtItsEnd) {
  Scheduler scheduler(kLimits);
  scheduler.add({prompt_of(19), 2});
  std::vector<int64_t> contexts, counts;
  std::vector<bool> sampled;
  for (Batch b = scheduler.next(); !b.empty(); b = scheduler.next()) {
    ASSERT_EQ(b.spans.size(), 1u);
    contexts.push_back(b.spans[0].context);
    counts.push_back(b.spans[0].tokens);
    sampled.push_back(b.spans[0].sampled);
    commit_all(scheduler, b);
  }
  EXPECT_EQ(contexts, (std::vector<int64_t>{0, 8, 16, 19}));
  EXPECT_EQ(counts, (std::vector<int64_t>{8, 8, 3, 1}));
  EXPECT_EQ(sampled, (std::vector<bool>{false, false, true, true}));
}

TEST(Scheduler, DecodesRunningStreamsBeforeItPrefillsALaterPrompt) {
  Scheduler scheduler(kLimits);
  const RequestId early = scheduler.add({prompt_of(3), 5});
  commit_all(scheduler, scheduler.next());
  const RequestId late = scheduler.add({prompt_of(20), 5});
  const Batch batch = scheduler.next();
  ASSERT_EQ(batch.spans.size(), 2u);
  EXPECT_EQ(batch.spans[0].id, early);
  EXPECT_EQ(batch.spans[0].tokens, 1);
  EXPECT_EQ(batch.token_ids[0], 7) << "the token generated before";
  EXPECT_EQ(batch.spans[1].id, late);
  EXPECT_EQ(batch.spans[1].tokens, 7) << "the rest of the budget";
  EXPECT_TRUE(batch.spans[1].admitted);
}

TEST(Scheduler, NamesWhyARequestCannotFit) {
  Scheduler scheduler(kLimits);
  const auto advice = [&](int64_t prompt, int64_t max_tokens) -> std::string {
    try {
      scheduler.add({prompt_of(prompt), max_tokens});
    } catch (const UsageError& error) {
      return error.place().field + ": " + error.advice();
    }
    return "accepted";
  };
  EXPECT_EQ(advice(0, 1), "prompt: give at least one");
  EXPECT_EQ(advice(1, 0), "max_tokens: give a number from 1 on");
  EXPECT_EQ(advice(1, INT64_MAX), "max_tokens: give max_tokens of at most 63");
  EXPECT_EQ(advice(60, 4), "accepted");
  EXPECT_EQ(advice(60, 5), "max_tokens: give max_tokens of at most 4");
  EXPECT_EQ(advice(64, 1), "prompt: shorten the prompt to at most 63 tokens");
  EXPECT_EQ(scheduler.waiting(), 1u);
}

TEST(Scheduler, RefusesARequestLargerThanTheWholePool) {
  SchedulerLimits limits = kLimits;
  limits.pages = 5;  // 20 tokens; the last generated one is never stored
  Scheduler scheduler(limits);
  EXPECT_NO_THROW(scheduler.add({prompt_of(11), 10}));
  EXPECT_THROW(scheduler.add({prompt_of(11), 11}), UsageError);
}

TEST(Scheduler, TakesNoPagesForModelsWithoutTokenStates) {
  Scheduler scheduler({.context = 1000, .step_tokens = 8, .slots = 2});
  scheduler.add({prompt_of(100), 1});
  int64_t tokens = 0;
  for (Batch b = scheduler.next(); !b.empty(); b = scheduler.next()) {
    EXPECT_TRUE(b.pages[0][0].empty());
    tokens += b.spans[0].tokens;
    commit_all(scheduler, b);
  }
  EXPECT_EQ(tokens, 100);
}

TEST(Scheduler, PreemptsTheYoungestAndComputesItsTokensAgain) {
  // Two sequences of 8 tokens fill the pool of 4 pages; the first one to grow takes the other's pages.
  Scheduler scheduler({.context = 16, .step_tokens = 16, .slots = 2, .page_size = 4, .pages = 4});
  const RequestId old = scheduler.add({prompt_of(8), 8}), young = scheduler.add({prompt_of(8), 8});
  EXPECT_EQ(scheduler.next().spans.size(), 2u);
  Batch first{.spans = {{.id = old, .tokens = 8, .sampled = true}, {.id = young, .tokens = 8, .sampled = true}},
              .token_ids = {},
              .pages = {},
              .copies = {}};
  commit_all(scheduler, first);
  Batch batch = scheduler.next();
  ASSERT_EQ(batch.spans.size(), 1u);
  EXPECT_EQ(batch.spans[0].id, old);
  EXPECT_EQ(scheduler.preemptions(), 1u);
  EXPECT_EQ(scheduler.tokens(young).size(), 9u) << "what was generated is kept";
  while (commit_all(scheduler, batch).at(0).finished == FinishReason::none) batch = scheduler.next();
  batch = scheduler.next();
  ASSERT_EQ(batch.spans.size(), 1u);
  EXPECT_EQ(batch.spans[0].id, young);
  EXPECT_EQ(batch.spans[0].context, 0);
  EXPECT_EQ(batch.spans[0].tokens, 9);
  EXPECT_TRUE(batch.spans[0].admitted);
}

TEST(Scheduler, AFailedRowEndsThatRequestAlone) {
  Scheduler scheduler(kLimits);
  const RequestId a = scheduler.add({prompt_of(2), 5}), b = scheduler.add({prompt_of(2), 5});
  const Batch batch = scheduler.next();
  const auto progress = scheduler.commit(batch, {{.failed = true}, {.token = 9}});
  ASSERT_EQ(progress.size(), 2u);
  EXPECT_EQ(progress[0].finished, FinishReason::error);
  EXPECT_EQ(progress[1].finished, FinishReason::none);
  EXPECT_THROW(scheduler.tokens(a), std::out_of_range);
  EXPECT_EQ(scheduler.tokens(b).back(), 9);
}

TEST(Scheduler, KeepsThePagesOfACancelledRequestUntilItsStepIsOver) {
  Scheduler scheduler(kLimits);
  const RequestId id = scheduler.add({prompt_of(8), 5});
  const Batch batch = scheduler.next();
  EXPECT_TRUE(scheduler.cancel(id));
  EXPECT_FALSE(scheduler.cancel(id)) << "a second time";
  EXPECT_EQ(scheduler.free_pages(), 30u);
  const auto progress = commit_all(scheduler, batch);
  ASSERT_EQ(progress.size(), 1u);
  EXPECT_EQ(progress[0].finished, FinishReason::cancelled);
  EXPECT_EQ(scheduler.free_pages(), 32u);
  EXPECT_FALSE(scheduler.cancel(id));
}

/// What must hold of each batch and of the scheduler, whatever happened before.
class Simulation {
 public:
  Simulation(const SchedulerLimits& limits, uint64_t seed) : limits_(limits), scheduler_(limits), random_(seed) {}

  void run(int64_t steps) {
    for (int64_t i = 0; i < steps; ++i) {
      if (below(4) == 0 && known_.size() < 40) add();
      if (below(16) == 0) cancel();
      step();
      if (testing::Test::HasFailure()) return;
    }
    for (int64_t idle = 0; !known_.empty() && idle < 100'000; ++idle) step();
    EXPECT_TRUE(known_.empty()) << "everything finishes";
    EXPECT_EQ(scheduler_.free_pages(), static_cast<size_t>(limits_.pages));
    EXPECT_EQ(scheduler_.free_slots(), static_cast<size_t>(limits_.slots));
  }
  uint64_t preemptions() const { return scheduler_.preemptions(); }
  int64_t finished = 0, cancelled = 0;

 private:
  struct Known {
    int64_t prompt, most, seen = 0, generated = 0;
    bool cancelled = false;
  };
  int64_t below(int64_t n) { return std::uniform_int_distribution<int64_t>(0, n - 1)(random_); }

  void add() {
    const int64_t prompt = 1 + below(limits_.context / 2), most = 1 + below(limits_.context / 2);
    known_[scheduler_.add({prompt_of(prompt), most})] = {.prompt = prompt, .most = most};
  }

  void cancel() {
    if (known_.empty()) return;
    const auto chosen = std::next(known_.begin(), below(static_cast<int64_t>(known_.size())));
    if (!scheduler_.cancel(chosen->first)) return;
    ++cancelled;
    chosen->second.cancelled = true;
    if (!in_batch_.contains(chosen->first)) known_.erase(chosen);
  }

  void step() {
    const Batch batch = scheduler_.next();
    check(batch);
    for (const Span& span : batch.spans) in_batch_.insert(span.id);
    if (below(8) == 0) cancel();
    if (!batch.empty()) commit(batch);
    in_batch_.clear();
  }

  void check(const Batch& batch) {
    std::set<int32_t> pages, slots;
    int64_t tokens = 0;
    RequestId before = 0;
    for (size_t i = 0; i < batch.spans.size(); ++i) {
      const Span& span = batch.spans[i];
      const Known& known = known_.at(span.id);
      ASSERT_GT(span.id, before) << "in order of arrival, each once";
      before = span.id;
      ASSERT_GE(span.tokens, 1);
      tokens += span.tokens;
      ASSERT_TRUE(span.context == known.seen || (span.admitted && span.context == 0));
      ASSERT_EQ(span.sampled, span.context + span.tokens == known.prompt + known.generated);
      ASSERT_TRUE(slots.insert(span.slot).second) << "a slot of two sequences";
      ASSERT_TRUE(span.slot >= 0 && span.slot < limits_.slots);
      const int64_t need = (span.context + span.tokens + limits_.page_size - 1) / limits_.page_size;
      ASSERT_EQ(static_cast<int64_t>(batch.pages[0][i].size()), need);
      for (const int32_t page : batch.pages[0][i]) {
        ASSERT_TRUE(pages.insert(page).second) << "a page of two sequences";
        ASSERT_TRUE(page >= 0 && page < limits_.pages);
      }
    }
    ASSERT_EQ(static_cast<int64_t>(batch.token_ids.size()), tokens);
    ASSERT_LE(tokens, limits_.step_tokens);
    ASSERT_LE(pages.size() + scheduler_.free_pages(), static_cast<size_t>(limits_.pages));
    ASSERT_EQ(scheduler_.running() + scheduler_.free_slots(), static_cast<size_t>(limits_.slots));
    ASSERT_EQ(scheduler_.running() + scheduler_.waiting(), known_.size());
    ASSERT_FALSE(batch.empty() && !known_.empty()) << "idle while requests wait";
    if (!batch.empty()) {
      ASSERT_EQ(batch.spans[0].id, known_.begin()->first) << "the oldest always advances";
    }
  }

  void commit(const Batch& batch) {
    std::vector<Outcome> outcomes;
    for (const Span& span : batch.spans) {
      Known& known = known_.at(span.id);
      known.seen = span.context + span.tokens;
      if (!span.sampled) continue;
      outcomes.push_back(
          {.token = static_cast<int32_t>(below(100)), .stop = below(50) == 0, .failed = below(100) == 0});
      if (!outcomes.back().failed) ++known.generated;
    }
    for (const Progress& p : scheduler_.commit(batch, outcomes)) {
      const Known& known = known_.at(p.id);
      ASSERT_EQ(known.cancelled, p.finished == FinishReason::cancelled);
      ASSERT_LE(known.generated, known.most);
      if (p.finished == FinishReason::none) {
        ASSERT_LT(known.generated, known.most);
        continue;
      }
      ++finished;
      known_.erase(p.id);
    }
  }

  SchedulerLimits limits_;
  Scheduler scheduler_;
  std::mt19937_64 random_;
  std::map<RequestId, Known> known_;
  std::set<RequestId> in_batch_;
};

TEST(SchedulerSimulation, HoldsItsInvariantsOverRandomRequestsAndCancels) {
  Simulation simulation({.context = 96, .step_tokens = 24, .slots = 6, .page_size = 8, .pages = 30}, 1);
  simulation.run(100'000);
  EXPECT_GT(simulation.finished, 1000);
  EXPECT_GT(simulation.cancelled, 1000);
  EXPECT_GT(simulation.preemptions(), 100u) << "the pool was never short: nothing was tested";
}

TEST(SchedulerSimulation, HoldsWithAPoolThatOneSequenceFills) {
  Simulation simulation({.context = 64, .step_tokens = 4, .slots = 4, .page_size = 8, .pages = 8}, 2);
  simulation.run(20'000);
  EXPECT_GT(simulation.preemptions(), 100u);
}

}  // namespace
}  // namespace braid
