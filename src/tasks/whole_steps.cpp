#include "tasks/whole_steps.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "core/error.h"
#include "models/model.h"

namespace braid {

WholeSteps::WholeSteps(Program& program, std::span<const int32_t> ids, int64_t count) : program_(program) {
  const int64_t each = static_cast<int64_t>(ids.size()) / count, most = program.options().step_tokens / each;
  if (most == 0)
    throw UsageError("a step holds " + std::to_string(program.options().step_tokens) + " tokens, a sequence has " +
                         std::to_string(each),
                     {}, "give shorter sequences");
  for (int64_t first = 0; first < count; first += most) {
    const int64_t sequences = std::min(most, count - first), tokens = sequences * each;
    const auto part = ids.subspan(static_cast<size_t>(first * each), static_cast<size_t>(tokens));
    std::vector<int32_t> positions, spans{0};
    for (int64_t s = 0; s < sequences; ++s) {
      const auto sequence = part.subspan(static_cast<size_t>(s * each), static_cast<size_t>(each));
      std::ranges::copy(default_positions(program.model(), sequence), std::back_inserter(positions));
      spans.push_back(static_cast<int32_t>((s + 1) * each));
    }
    StepData& step = steps_.emplace_back();
    step.sizes[Symbol::tokens] = tokens;
    step.sizes[Symbol::sequences] = sequences;
    step.sizes[Symbol::rows] = 1;
    const auto add = [&](const char* name, std::span<const int32_t> values) {
      step.inputs.push_back({name, Tensor::of({std::ssize(values)}, values)});
    };
    const std::vector<int32_t> zeros(static_cast<size_t>(tokens));
    add("token_ids", part);
    add("positions", positions);
    add("token_type_ids", zeros);
    add("span_start", spans);
    add("rows", std::span(zeros).first(1));
    largest_ = std::max(largest_, tokens);
  }
}

void WholeSteps::run() {
  for (const StepData& step : steps_) program_.run("forward", step);
}

std::vector<double> time_passes(Program& program, std::span<const int32_t> ids, const BenchOptions& options,
                                LimitMeter& meter) {
  using Clock = std::chrono::steady_clock;
  WholeSteps steps(program, ids, options.batch);
  std::vector<double> seconds;
  // Repeat -1 is not timed: it touches pages and warms caches.
  for (int64_t repeat = -1; repeat < options.repeat; ++repeat) {
    if (options.progress && !options.progress(std::max<int64_t>(0, repeat), options.repeat))
      throw Error("stopped before the repeats were done");
    const auto start = Clock::now();
    steps.run();
    if (repeat >= 0) seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    meter.sample_peaks();
  }
  return seconds;
}

}  // namespace braid
