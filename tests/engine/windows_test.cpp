// Layers that see a window keep no more than it, and compute the same.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "engine/batch.h"
#include "engine/engine.h"
#include "engine/models.h"
#include "tasks/sequences.h"
#include "tasks/sources.h"

namespace braid {
namespace {

constexpr int64_t kContext = 256;  // windows of the golden models are far shorter

LoadOptions window_options(const std::string& model, const std::string& device) {
  LoadOptions options = test::exact_options(model, device);
  options.sequences = 3;
  options.step_tokens = 24;
  options.threads = 1;
  return options;
}

/// With more positions than the tiny configs name: rotary ones have no bound of their own.
std::unique_ptr<Program> program_of(const LoadedModel& loaded, const LoadOptions& load, int64_t context,
                                    int64_t window_pages = 0) {
  Model model = loaded.program->model();
  model.max_positions = 0;
  ProgramOptions options = loaded.program->options();
  options.context = context;
  options.window_pages = window_pages;
  return std::make_unique<Program>(std::move(model), make_backend(load),
                                   std::make_shared<CheckpointSource>(loaded.checkpoint), options);
}

std::vector<int32_t> prompt_of(int i, int64_t tokens) {
  std::vector<int32_t> ids;
  for (int t = 0; t < tokens; ++t) ids.push_back((41 * t + 13 * i + 7) % 200);
  return ids;
}

/// The logits of every generated token, by request.
using Trace = std::map<RequestId, std::vector<std::vector<float>>>;

Trace trace(Program& program, const SchedulerLimits& limits, size_t* most_window_pages = nullptr) {
  Scheduler scheduler(limits);
  for (int i = 0; i < 3; ++i) scheduler.add({.prompt = prompt_of(i, 30 + 50 * i), .max_tokens = 90});
  Trace trace;
  for (Batch batch = scheduler.next(); !batch.empty(); batch = scheduler.next()) {
    if (most_window_pages != nullptr)
      for (size_t i = 0; i < batch.spans.size(); ++i) {
        const auto live = std::ranges::count_if(batch.pages[1][i], [](int32_t page) { return page >= 0; });
        if (batch.spans[i].tokens == 1) *most_window_pages = std::max(*most_window_pages, static_cast<size_t>(live));
      }
    const Tensor logits = program.run("decode", step_data(batch, program.max_pages())).at(0).tensor;
    std::vector<Outcome> outcomes;
    for (const Span& span : batch.spans) {
      if (!span.sampled) continue;
      const float* row = logits.data<float>() + outcomes.size() * static_cast<size_t>(logits.last());
      trace[span.id].emplace_back(row, row + logits.last());
      outcomes.push_back({.token = static_cast<int32_t>(std::max_element(row, row + logits.last()) - row)});
    }
    scheduler.commit(batch, outcomes);
  }
  return trace;
}

SchedulerLimits limits_of(const Program& program) {
  return {.context = program.options().context,
          .step_tokens = program.options().step_tokens,
          .slots = program.slots(),
          .page_size = program.page_size(),
          .pages = program.pages(),
          .window = program.window(),
          .window_pages = program.window_pages()};
}

class Windows : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  void SetUp() override {
    model_ = "golden/text/" + std::get<1>(GetParam());
    if (!test::kit_path(model_)) GTEST_SKIP() << test::kit_missing(model_);
  }
  std::string model_;
};
INSTANTIATE_TEST_SUITE_P(Models, Windows,
                         testing::Combine(testing::Values("oracle", "cpu"),
                                          testing::Values("mistral-window", "gemma2", "gemma3-text")),
                         [](const auto& info) {
                           std::string name = std::get<0>(info.param) + "_" + std::get<1>(info.param);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(Windows, GiveTheSameBitsAsFullRetention) {
  const LoadOptions load = window_options(model_, std::get<0>(GetParam()));
  const LoadedModel loaded = load_model(load);
  const std::unique_ptr<Program> made = program_of(loaded, load, kContext);
  Program& program = *made;
  ASSERT_GT(program.window(), 0);
  size_t most = 0;
  const Trace freed = trace(program, limits_of(program), &most);
  EXPECT_LE(static_cast<int64_t>(most), (program.window() + program.page_size() - 2) / program.page_size() + 1)
      << "the window and one page more";

  const std::unique_ptr<Program> retaining = program_of(loaded, load, kContext, 3 * program.max_pages());
  SchedulerLimits limits = limits_of(*retaining);
  limits.window = kContext;  // nothing ever leaves it
  const Trace kept = trace(*retaining, limits);
  ASSERT_EQ(freed.size(), 3u);
  for (const auto& [id, rows] : freed) {
    ASSERT_EQ(rows.size(), 90u);
    for (size_t i = 0; i < rows.size(); ++i)
      ASSERT_EQ(std::memcmp(rows[i].data(), kept.at(id)[i].data(), rows[i].size() * sizeof(float)), 0)
          << "request " << id << ", token " << i;
  }
}

TEST_P(Windows, MakeThePlansStatesSmaller) {
  const LoadOptions load = window_options(model_, std::get<0>(GetParam()));
  const LoadedModel loaded = load_model(load);
  const std::unique_ptr<Program> program = program_of(loaded, load, 2048);
  const int64_t whole = 3 * program->max_pages();
  EXPECT_LT(program->window_pages(), whole / 4);
  EXPECT_LT(program->plan().state_bytes, program_of(loaded, load, 2048, whole)->plan().state_bytes);
}

TEST_P(Windows, HoldInTheRingOfSequencesWithoutAScheduler) {
  const LoadOptions load = window_options(model_, std::get<0>(GetParam()));
  const LoadedModel loaded = load_model(load);
  const std::unique_ptr<Program> made = program_of(loaded, load, kContext);
  Program& program = *made;
  Sequences sequences(program, 3);
  std::vector<int32_t> ids;
  for (int i = 0; i < 3; ++i) {
    const std::vector<int32_t> prompt = prompt_of(i, 150);
    ids.insert(ids.end(), prompt.begin(), prompt.end());
  }
  const std::vector<int32_t> first = greedy(sequences.prefill(ids));
  Engine engine(program);
  std::vector<int32_t> wanted(3);
  for (int i = 0; i < 3; ++i)
    engine.submit({.prompt = prompt_of(i, 150), .max_tokens = 1}, [&, i](const TokenEvent& e) {
      wanted[static_cast<size_t>(i)] = e.token;
      return true;
    });
  engine.run();
  EXPECT_EQ(first, wanted);
}

}  // namespace
}  // namespace braid
