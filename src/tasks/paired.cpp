#include "tasks/paired.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

#include "core/error.h"
#include "tasks/sequences.h"

namespace braid {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr int64_t kTokens = 16;  // decoded per pair

PairedRatio ratios(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const auto at = [&](double q) {
    return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
  };
  return {.median = at(0.5), .low = at(0.25), .high = at(0.75)};
}

struct Side {
  LoadedModel model;
  Sequences sequences;
  std::vector<int32_t> next = {};

  Side(const LoadOptions& load, int64_t batch) : model(load_model(load)), sequences(*model.program, batch) {}
  double prefill(const std::vector<int32_t>& ids) {
    sequences.restart();
    const auto start = Clock::now();
    next = greedy(sequences.prefill(ids));
    return seconds_since(start);
  }
  double decode() {
    const auto start = Clock::now();
    next = greedy(sequences.append(next, 1));
    return seconds_since(start);
  }
};

}  // namespace

PairedResult bench_paired(const BenchOptions& options, LoadOptions one, LoadOptions other) {
  one.backend = other.backend = make_backend(one);
  Side sides[] = {Side(bench_options(options, one), options.batch), Side(bench_options(options, other), options.batch)};
  std::mt19937_64 random(1);
  std::vector<int32_t> ids(static_cast<size_t>(options.batch * options.prompt_tokens));
  const auto vocabulary = static_cast<uint64_t>(sides[0].model.program->model().vocabulary);
  for (int32_t& id : ids) id = static_cast<int32_t>(random() % vocabulary);

  std::vector<double> prefill, decode;
  int64_t done = 0;
  // Repeat -1 is not timed: it touches pages and warms caches. Who begins changes from pair to pair.
  for (int64_t repeat = -1; repeat < options.repeat; ++repeat) {
    double seconds[2] = {};
    for (int i = 0; i < 2; ++i) {
      const auto side = static_cast<size_t>((i + repeat + 1) % 2);
      seconds[side] = sides[side].prefill(ids);
    }
    if (repeat >= 0) prefill.push_back(seconds[1] / seconds[0]);
    for (int64_t t = 0; t < options.tokens; t += kTokens) {
      double sums[2] = {};
      for (int64_t i = 0; i < std::min(kTokens, options.tokens - t); ++i) {
        if (options.progress &&
            !options.progress(std::min(done++, options.repeat * options.tokens), options.repeat * options.tokens))
          throw Error("stopped before the repeats were done");
        for (int64_t k = 0; k < 2; ++k) {
          const auto side = static_cast<size_t>((k + i) % 2);
          sums[side] += sides[side].decode();
        }
      }
      if (repeat >= 0) decode.push_back(sums[1] / sums[0]);
    }
  }
  return {.prefill = ratios(std::move(prefill)), .decode = ratios(std::move(decode))};
}

}  // namespace braid
