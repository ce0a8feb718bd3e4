// The thread that owns the engine, asked from several others.

#include "serve/engine_loop.h"

#include <gtest/gtest.h>

#include <future>
#include <random>

#include "core/error.h"
#include "support/kit.h"

namespace braid::serve::test {
namespace {

using braid::test::kit_path;

LoadedModel tiny(int64_t sequences) {
  return load_model(
      {.model = kit_path("golden/text/llama-gqa").value().string(), .threads = 1, .sequences = sequences});
}

GenerateOptions options(std::vector<int32_t> prompt, int64_t tokens) {
  GenerateOptions o;
  o.prompt_ids = std::move(prompt);
  o.max_tokens = tokens;
  o.ignore_eos = true;
  return o;
}

/// A request and all that is said of it.
struct Asked {
  std::vector<int32_t> tokens;
  FinishReason finished = FinishReason::none;
  std::string message;
};

/// Waits for the verdict; what was thrown is thrown here.
std::vector<Ticket> submit(EngineLoop& loop, std::vector<Submission> submissions) {
  const auto said = std::make_shared<std::promise<std::vector<Ticket>>>();
  loop.submit(std::move(submissions), [said](const Verdict& verdict) {
    verdict.refused ? said->set_exception(verdict.refused) : said->set_value(verdict.tickets);
  });
  return said->get_future().get();
}

/// Waits until it is over.
Asked ask(EngineLoop& loop, const GenerateOptions& wanted) {
  const auto asked = std::make_shared<Asked>();
  const auto over = std::make_shared<std::promise<void>>();
  submit(loop, {{.options = wanted, .callback = [asked, over](const TokenEvent& event) {
                   if (event.has_token) asked->tokens.push_back(event.token);
                   asked->finished = event.finished;
                   asked->message = event.message;
                   if (event.over) over->set_value();
                   return true;
                 }}});
  over->get_future().get();
  return *asked;
}

/// Once the queue has been worked off.
LoopStats settled(EngineLoop& loop) {
  for (int i = 0; i < 2; ++i) {  // counts are published behind the work
    std::promise<void> done;
    loop.post([&] { done.set_value(); });
    done.get_future().get();
  }
  return loop.stats();
}

TEST(EngineLoop, GivesEachOfManyThreadsWhatItGivesOneAlone) {
  LoadedModel model = tiny(4);
  EngineLoop loop(model, 64);
  std::vector<std::vector<int32_t>> alone;
  for (int32_t i = 0; i < 6; ++i) alone.push_back(ask(loop, options({i + 1, 2, 3}, 12)).tokens);
  std::vector<std::future<bool>> threads;
  for (int32_t i = 0; i < 6; ++i)
    threads.push_back(std::async(std::launch::async, [&, i] {
      return ask(loop, options({i + 1, 2, 3}, 12)).tokens == alone[static_cast<size_t>(i)];
    }));
  for (std::future<bool>& same : threads) EXPECT_TRUE(same.get());
  EXPECT_EQ(loop.tokens(), 2u * 6 * 12);
}

TEST(EngineLoop, RefusesAllOfSeveralWhenOneDoesNotFit) {
  LoadedModel model = tiny(4);
  EngineLoop loop(model, 64);
  std::atomic<int> events = 0;
  const auto listen = [&](const TokenEvent&) {
    ++events;
    return true;
  };
  EXPECT_THROW(submit(loop, {{.options = options({1, 2}, 8), .callback = listen},
                             {.options = options({1 << 20}, 8), .callback = listen}}),
               UsageError);
  const LoopStats stats = settled(loop);
  EXPECT_EQ(events, 0);
  EXPECT_EQ(stats.pages_used, 0u);
  EXPECT_EQ(stats.running + stats.waiting, 0u);
}

TEST(EngineLoop, ACancelledRequestIsToldAndLeavesNothing) {
  LoadedModel model = tiny(2);
  EngineLoop loop(model, 1000);
  std::mt19937 random(7);
  std::atomic<int> over = 0, told = 0;
  for (int i = 0; i < 200; ++i) {
    const Ticket ticket = submit(loop, {{.options = options({1, 2, 3}, 40), .callback = [&](const TokenEvent& event) {
                                           if (event.over) ++over;
                                           if (event.finished == FinishReason::cancelled) ++told;
                                           return true;
                                         }}})[0];
    const uint64_t tokens = loop.tokens();
    while (loop.tokens() - tokens < random() % 4) std::this_thread::yield();  // waiting, reading, writing
    loop.cancel(ticket);
    loop.cancel(ticket);  // twice: nothing more is said
  }
  loop.cancel(1 << 20);
  const LoopStats stats = settled(loop);
  EXPECT_EQ(over, 200);
  EXPECT_GT(told, 0);
  EXPECT_EQ(stats.pages_used, 0u);
  EXPECT_EQ(stats.slots_used, 0u);
  EXPECT_EQ(stats.running + stats.waiting, 0u);
}

TEST(EngineLoop, AReaderThatWantsNoMoreEndsItsRequest) {
  LoadedModel model = tiny(2);
  EngineLoop loop(model, 64);
  std::promise<void> third;
  std::atomic<int> events = 0;
  submit(loop, {{.options = options({1, 2, 3}, 40), .callback = [&](const TokenEvent&) {
                   if (++events == 3) third.set_value();
                   return events < 3;
                 }}});
  third.get_future().get();
  EXPECT_EQ(settled(loop).pages_used, 0u);
  EXPECT_EQ(events, 3);
}

TEST(EngineLoop, ACallbackThatThrowsHurtsItselfAlone) {
  LoadedModel model = tiny(2);
  EngineLoop loop(model, 64);
  const std::vector<int32_t> expected = ask(loop, options({4, 5}, 10)).tokens;
  std::atomic<int> events = 0;
  submit(loop, {{.options = options({1, 2, 3}, 40), .callback = [&](const TokenEvent&) -> bool {
                   ++events;
                   throw std::runtime_error("a bad reader");
                 }}});
  EXPECT_EQ(ask(loop, options({4, 5}, 10)).tokens, expected);
  EXPECT_EQ(events, 1);
  EXPECT_EQ(settled(loop).pages_used, 0u);
}

TEST(EngineLoop, TurnsAwayWhatWouldWaitBehindTooMany) {
  LoadedModel model = tiny(1);
  EngineLoop loop(model, 1);
  std::promise<void> hold, held;
  loop.post([&] {  // the loop stands still while the requests come
    held.set_value();
    hold.get_future().get();
  });
  held.get_future().get();
  std::vector<std::promise<bool>> refused(3);
  for (std::promise<bool>& each : refused)
    loop.submit({{.options = options({1, 2}, 4), .callback = [](const TokenEvent&) { return true; }}},
                [&](const Verdict& verdict) { each.set_value(static_cast<bool>(verdict.refused)); });
  hold.set_value();
  EXPECT_FALSE(refused[0].get_future().get());
  EXPECT_TRUE(refused[1].get_future().get());
  EXPECT_TRUE(refused[2].get_future().get());
}

TEST(EngineLoop, ItsEndIsToldToWhatStillRuns) {
  LoadedModel model = tiny(2);
  std::promise<FinishReason> last;
  std::promise<void> begun;
  {
    EngineLoop loop(model, 64);
    std::atomic<bool> first = true;
    submit(loop, {{.options = options({1, 2, 3}, 100), .callback = [&](const TokenEvent& event) {
                     if (first.exchange(false)) begun.set_value();
                     if (event.over) last.set_value(event.finished);
                     return true;
                   }}});
    begun.get_future().get();
  }
  const FinishReason reason = last.get_future().get();
  EXPECT_TRUE(reason == FinishReason::cancelled || reason == FinishReason::length);
}

}  // namespace
}  // namespace braid::serve::test
