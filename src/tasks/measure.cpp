#include "tasks/measure.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <vector>

#include "backend/cpu/kernels.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/platform.h"
#include "core/tensor.h"

namespace braid {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr int kSamples = 9;
constexpr size_t kLargest = 1ull << 30;
constexpr double kLeastSeconds = 0.02;  // of one measured loop: far above the clock's grain

/// Bytes that no cache holds, and that this process may well use.
size_t read_bytes(int threads) {
  const CpuTopology& cpu = cpu_topology();
  const uint64_t caches = cpu.l3_bytes + static_cast<uint64_t>(threads) * cpu.l2_bytes;
  const uint64_t wanted = std::clamp<uint64_t>(4 * caches, 256ull << 20, kLargest);
  return static_cast<size_t>(cpu.memory_bytes > 0 ? std::min(wanted, cpu.memory_bytes / 4) : wanted);
}

double quantile_of(std::vector<double> samples, double at) {
  if (samples.empty()) return 0;
  std::ranges::sort(samples);
  return samples[static_cast<size_t>(at * static_cast<double>(samples.size() - 1))];
}

}  // namespace

struct LimitMeter::State {
  Team team;
  const cpu::Kernels& kernels;
  size_t each;  // bytes that a worker reads
  std::shared_ptr<Buffer> buffer;
  std::vector<double> read, f32, bf16, int8;  // samples, in 10⁹ per second

  State(int threads, const cpu::Kernels& table)
      : team(threads),
        kernels(table),
        each(read_bytes(team.size()) / static_cast<size_t>(team.size()) / 4096 * 4096),
        buffer(Buffer::allocate(each * static_cast<size_t>(team.size()))) {
    // Each worker touches its part first, so that the part lies in the memory next to it.
    team.run([&](int w) { std::memset(buffer->data() + static_cast<size_t>(w) * each, w + 1, each); });
  }

  double peak(double (*loop)(int64_t)) {
    int64_t iterations = 1 << 12;
    for (auto start = Clock::now(); loop(iterations), seconds_since(start) < kLeastSeconds; start = Clock::now())
      iterations *= 2;
    std::atomic<double> operations = 0;
    const auto start = Clock::now();
    team.run([&](int) { operations.fetch_add(loop(iterations)); });
    return operations.load() / seconds_since(start) / 1e9;
  }

  MachineLimits limits(double at) const {
    return {.threads = team.size(),
            .instruction_set = kernels.name,
            .read_gb_per_s = quantile_of(read, at),
            .peak_f32_gflops = quantile_of(f32, at),
            .peak_bf16_gflops = quantile_of(bf16, at),
            .peak_int8_gops = quantile_of(int8, at)};
  }
};

LimitMeter::LimitMeter(int threads, const std::string& isa) {
  const cpu::Kernels* kernels = cpu::choose_kernels(isa.empty() ? nullptr : isa.c_str());
  if (kernels == nullptr) throw UsageError("this machine has no instruction set called \"" + isa + "\"");
  state_ = std::make_unique<State>(threads, *kernels);
}
LimitMeter::~LimitMeter() = default;

void LimitMeter::sample_read() {
  State& s = *state_;
  std::atomic<uint64_t> sum = 0;
  const auto start = Clock::now();
  s.team.run([&](int w) { sum += s.kernels.read(s.buffer->data() + static_cast<size_t>(w) * s.each, s.each); });
  s.read.push_back(static_cast<double>(s.buffer->bytes()) / seconds_since(start) / 1e9);
}

void LimitMeter::sample_peaks() {
  State& s = *state_;
  s.f32.push_back(s.peak(s.kernels.peak_f32));
  s.bf16.push_back(s.peak(s.kernels.peak_bf16));
  s.int8.push_back(s.peak(s.kernels.peak_int8));
}

size_t LimitMeter::resident_bytes() const { return state_->buffer->bytes(); }
MachineLimits LimitMeter::median() const { return state_->limits(0.5); }
MachineLimits LimitMeter::best() const { return state_->limits(1); }

MachineLimits measure_limits(int threads, const std::string& isa) {
  LimitMeter meter(threads, isa);
  for (int i = 0; i < kSamples; ++i) {
    meter.sample_read();
    meter.sample_peaks();
  }
  return meter.best();
}

}  // namespace braid
