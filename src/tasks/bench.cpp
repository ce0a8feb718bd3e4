#include "tasks/bench.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

#include "core/error.h"
#include "core/platform.h"
#include "tasks/sequences.h"
#include "tasks/traffic.h"
#include "tasks/whole_steps.h"

namespace braid {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr int64_t kStep = 512;         // tokens of one prefill step
constexpr int64_t kBetweenReads = 16;  // decoded tokens from one sample of the read bandwidth to the next

/// Decoded tokens that are not timed: those that fill the caches again after a sample.
int64_t untimed(int64_t tokens) { return (tokens + kBetweenReads - 1) / kBetweenReads; }

double quantile(std::vector<double> values, double at) {
  std::ranges::sort(values);
  const double place = at * static_cast<double>(values.size() - 1);
  const auto low = static_cast<size_t>(place);
  const size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (place - static_cast<double>(low)) * (values[high] - values[low]);
}
double median(const std::vector<double>& values) { return quantile(values, 0.5); }
double spread(const std::vector<double>& values) {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values);
}

std::vector<int32_t> prompt(int64_t count, int64_t vocabulary) {
  std::mt19937_64 random(1);
  std::vector<int32_t> ids(static_cast<size_t>(count));
  for (int32_t& id : ids) id = static_cast<int32_t>(random() % static_cast<uint64_t>(vocabulary));
  return ids;
}

struct Times {
  std::vector<double> prefill, decode;  ///< seconds of a repeat
};

/// An encoder reads, and decodes nothing.
bool only_reads(const Program& program) { return !program.has_entry("decode") && program.has_entry("forward"); }

/// The limits are sampled between the steps, since the machine's clock and its neighbours change meanwhile.
Times run_repeats(Program& program, const std::vector<int32_t>& ids, const BenchOptions& options, LimitMeter& meter) {
  Sequences sequences(program, options.batch);
  const int64_t all = options.repeat * options.tokens;
  Times times;
  // Repeat -1 is not timed: it touches pages and warms caches.
  for (int64_t repeat = -1; repeat < options.repeat; ++repeat) {
    sequences.restart();
    auto start = Clock::now();
    std::vector<int32_t> next = greedy(sequences.prefill(ids));
    const double prefill = seconds_since(start);
    if (repeat >= 0) meter.sample_peaks();
    double decode = 0;
    for (int64_t t = 0; t < (repeat < 0 ? std::min<int64_t>(2, options.tokens) : options.tokens); ++t) {
      if (options.progress && !options.progress(std::max<int64_t>(0, repeat) * options.tokens + t, all))
        throw Error("stopped before the repeats were done");
      if (t % kBetweenReads == 0) {
        if (repeat >= 0) meter.sample_read();
        next = greedy(sequences.append(next, 1));
      }
      start = Clock::now();
      next = greedy(sequences.append(next, 1));
      decode += seconds_since(start);
    }
    meter.sample_peaks();  // before the next repeat's prompt
    if (repeat < 0) continue;
    times.prefill.push_back(prefill);
    times.decode.push_back(decode);
  }
  return times;
}

/// The figures of decoding; result.limits are known.
void read_decode(Program& program, const Graph& one, const BenchOptions& options, const std::vector<double>& seconds,
                 BenchResult& result) {
  const auto batch = static_cast<double>(options.batch), tokens = static_cast<double>(options.tokens);
  result.decode_tokens_per_s = batch * tokens / median(seconds);
  result.decode_spread = spread(seconds);
  // On average, the new one too.
  const double context =
      static_cast<double>(options.prompt_tokens) + (tokens + static_cast<double>(untimed(options.tokens)) + 1) / 2;
  result.bytes_per_token =
      decode_traffic(one, {.sequences = batch, .context = context, .page_size = program.page_size()}).total() / batch;
  result.bandwidth_fraction = result.bytes_per_token * result.decode_tokens_per_s / (result.limits.read_gb_per_s * 1e9);
}

}  // namespace

LoadOptions bench_options(const BenchOptions& options, LoadOptions base) {
  base.context = std::max(base.context, options.prompt_tokens + options.tokens + untimed(options.tokens));
  base.sequences = options.batch;
  base.step_tokens = std::max(options.batch, std::min(kStep, options.batch * options.prompt_tokens));
  return base;
}

BenchResult bench(LoadedModel& model, const BenchOptions& options, const LoadOptions& load) {
  Program& program = *model.program;
  const auto start = Clock::now();
  const bool whole = only_reads(program);
  const char* entry = whole ? "forward" : "decode";
  const Graph& many = program.executable(entry, program.options().step_tokens).graph();
  const Graph* one = whole ? nullptr : &program.executable(entry, options.batch).graph();
  BenchResult result;
  result.load_ms = model.load_ms + 1000 * seconds_since(start);

  const uint64_t loading = peak_resident_bytes();
  LimitMeter meter(load.threads, load.isa);
  const std::vector<int32_t> ids = prompt(options.batch * options.prompt_tokens, program.model().vocabulary);
  const Times times =
      whole ? Times{time_passes(program, ids, options, meter), {}} : run_repeats(program, ids, options, meter);
  const uint64_t resident = resident_bytes() - meter.resident_bytes();
  result.rss_mb = static_cast<double>(resident) / 1e6;
  result.peak_rss_mb = static_cast<double>(std::max(loading, resident)) / 1e6;
  const auto batch = static_cast<double>(options.batch);
  const double prompt_tokens = batch * static_cast<double>(options.prompt_tokens);
  result.prefill_tokens_per_s = prompt_tokens / median(times.prefill);
  result.prefill_spread = spread(times.prefill);
  result.limits = meter.median();
  if (one != nullptr) read_decode(program, *one, options, times.decode, result);

  SymbolValues sizes;
  const int64_t all = options.batch * options.prompt_tokens, step = program.options().step_tokens;
  sizes[Symbol::tokens] = all;
  sizes[Symbol::sequences] = options.batch;
  sizes[Symbol::rows] = options.batch * ((all + step - 1) / step);
  Operations operations = product_operations(many, sizes);
  const double attention = batch * attention_operations(program.graph(entry), options.prompt_tokens);
  result.operations_per_token = (operations.total() + attention) / prompt_tokens;

  const MachineLimits& limits = result.limits;
  const double most = std::max({operations.f32, operations.bf16, operations.int8});
  const bool int8 = most == operations.int8, bf16 = most == operations.bf16;
  result.peak_instruction = int8 ? "int8" : bf16 ? "bf16" : "f32";
  const double peak = int8 ? limits.peak_int8_gops : bf16 ? limits.peak_bf16_gflops : limits.peak_f32_gflops;
  result.peak_fraction = result.operations_per_token * result.prefill_tokens_per_s / (peak * 1e9);
  return result;
}

}  // namespace braid
