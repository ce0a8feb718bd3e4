#pragma once
// Speed of prefill and decode, and what share of this machine's limits it is.

#include <cstdint>
#include <functional>
#include <string>

#include "tasks/load.h"
#include "tasks/measure.h"

namespace braid {

struct BenchOptions {
  int64_t prompt_tokens = 512;  ///< per sequence
  int64_t tokens = 128;         ///< decoded per sequence
  int64_t batch = 1;            ///< sequences
  int64_t repeat = 5;           ///< medians over so many repeats
  /// Called between steps with the steps done and all steps; false stops the work with an Error.
  std::function<bool(int64_t done, int64_t total)> progress = {};
};

struct BenchResult {
  double prefill_tokens_per_s = 0, decode_tokens_per_s = 0;  ///< over the whole batch
  double prefill_spread = 0, decode_spread = 0;              ///< half the distance of the quartiles ÷ the median
  double bytes_per_token = 0;          ///< that decode must read: weights in their stored form, embedding row, cache
  double operations_per_token = 0;     ///< of the products of prefill, attention included
  double bandwidth_fraction = 0;       ///< bytes per token × tokens per second ÷ read bandwidth
  double peak_fraction = 0;            ///< operations per second ÷ peak of the instruction that most operations use
  std::string peak_instruction;        ///< "f32", "bf16", "int8"
  double load_ms = 0;                  ///< from nothing to executables that are ready to run
  double rss_mb = 0, peak_rss_mb = 0;  ///< of this process after the repeats, without what measures the limits
  MachineLimits limits;                ///< medians of samples taken between the steps
};

/// `base` with the sizes that a program needs.
LoadOptions bench_options(const BenchOptions& options, LoadOptions base = {});
/// Runs prefill and greedy decode of pseudo-random prompts. `load`: what the model was loaded with. Throws Error when
/// the model does not write on from a text.
BenchResult bench(LoadedModel& model, const BenchOptions& options, const LoadOptions& load);

/// How much slower (or larger) than an earlier run.
enum class Regression : uint8_t { none, minor, moderate, severe };
std::string_view name(Regression regression);
/// `worse`: the relative loss of a figure (0.1: a tenth slower). Losses within `spread`, what the repeats differ by
/// anyway, are none; beyond it from 5% minor, from 15% moderate, from 30% severe.
Regression judge(double worse, double spread);

}  // namespace braid
