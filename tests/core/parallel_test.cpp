#include "core/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace braid {
namespace {

class TeamOf : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Sizes, TeamOf, testing::Values(1, 2, 3, 4));

TEST_P(TeamOf, RunsTheBodyOnceOnEachWorker) {
  Team team(GetParam());
  ASSERT_EQ(team.size(), GetParam());
  for (int step = 0; step < 200; ++step) {
    std::vector<int> calls(static_cast<size_t>(team.size()), 0);
    team.run([&](int worker) { ++calls[static_cast<size_t>(worker)]; });
    EXPECT_EQ(calls, std::vector<int>(static_cast<size_t>(team.size()), 1));
  }
}

TEST_P(TeamOf, TheCallerIsWorkerZero) {
  Team team(GetParam());
  std::thread::id zero;
  team.run([&](int worker) {
    if (worker == 0) zero = std::this_thread::get_id();
  });
  EXPECT_EQ(zero, std::this_thread::get_id());
}

TEST_P(TeamOf, NobodyPassesABarrierBeforeAllHaveArrived) {
  Team team(GetParam());
  const int size = team.size();
  std::vector<int> progress(static_cast<size_t>(size), 0);  // plain memory: the barrier alone orders the accesses
  std::atomic<int> wrong{0};
  team.run([&](int worker) {
    for (int phase = 1; phase <= 500; ++phase) {
      progress[static_cast<size_t>(worker)] = phase;
      team.barrier();
      for (int other : progress) wrong += other == phase ? 0 : 1;
      team.barrier();
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST_P(TeamOf, ChunksAreClaimedOnce) {
  Team team(GetParam());
  constexpr int kChunks = 1000;
  std::vector<int> taken(kChunks, 0);
  std::atomic<int> next{0};
  team.run([&](int) {
    for (int i; (i = next++) < kChunks;) ++taken[static_cast<size_t>(i)];
  });
  EXPECT_EQ(std::accumulate(taken.begin(), taken.end(), 0), kChunks);
  EXPECT_EQ(*std::max_element(taken.begin(), taken.end()), 1);
}

TEST_P(TeamOf, ConcurrentCallersQueue) {
  Team team(GetParam());
  std::atomic<int> inside{0}, overlaps{0}, calls{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller)
    callers.emplace_back([&] {
      for (int step = 0; step < 50; ++step)
        team.run([&](int worker) {
          if (worker == 0 && inside.fetch_add(1) != 0) ++overlaps;
          team.barrier();
          ++calls;
          team.barrier();
          if (worker == 0) inside.fetch_sub(1);
        });
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(calls, 3 * 50 * team.size());
}

TEST(Team, ZeroMeansOneThreadPerCore) { EXPECT_GE(Team(0).size(), 1); }

TEST(Team, WorksWithManyMoreThreadsThanProcessors) {
  Team team(33);
  std::atomic<int> sum{0};
  team.run([&](int worker) {
    team.barrier();
    sum += worker;
    team.barrier();
  });
  EXPECT_EQ(sum, 32 * 33 / 2);
}

TEST(Team, EndsCleanlyWithoutEverHavingRun) { Team team(4); }

TEST(ParallelFor, VisitsEveryIndexOnce) {
  for (int threads : {0, 1, 2, 5})
    for (size_t count : {0u, 1u, 2u, 1000u}) {
      std::vector<std::atomic<int>> visits(count);
      parallel_for(
          count, [&](size_t i) { ++visits[i]; }, threads);
      for (const auto& n : visits) EXPECT_EQ(n, 1);
    }
}

TEST(ParallelFor, RethrowsTheFirstExceptionAfterAllHaveEnded) {
  std::atomic<int> inside{0};
  EXPECT_THROW(parallel_for(
                   1000,
                   [&](size_t i) {
                     ++inside;
                     if (i == 3) {
                       --inside;
                       throw std::runtime_error("three");
                     }
                     --inside;
                   },
                   4),
               std::runtime_error);
  EXPECT_EQ(inside, 0);
}

TEST(FunctionRef, CallsConstAndMutableCallables) {
  int count = 0;
  auto add = [&](int n) { count += n; };
  const auto& constant = add;
  FunctionRef<void(int)>{add}(2);
  FunctionRef<void(int)>{constant}(3);
  EXPECT_EQ(count, 5);
}

}  // namespace
}  // namespace braid
