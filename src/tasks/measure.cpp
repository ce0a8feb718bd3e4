#include "tasks/measure.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "backend/cpu/kernels.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/platform.h"
#include "core/tensor.h"

namespace braid {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr int kRepeats = 9;
constexpr size_t kLargest = 1ull << 30;
constexpr double kLeastSeconds = 0.02;  // of one measured loop: far above the clock's grain

/// Bytes that no cache holds, and that this process may well use.
size_t read_bytes(int threads) {
  const CpuTopology& cpu = cpu_topology();
  const uint64_t caches = cpu.l3_bytes + static_cast<uint64_t>(threads) * cpu.l2_bytes;
  const uint64_t wanted = std::clamp<uint64_t>(4 * caches, 256ull << 20, kLargest);
  return static_cast<size_t>(cpu.memory_bytes > 0 ? std::min(wanted, cpu.memory_bytes / 4) : wanted);
}

double measure_read(Team& team, const cpu::Kernels& kernels) {
  const size_t each = read_bytes(team.size()) / static_cast<size_t>(team.size()) / 4096 * 4096;
  const auto buffer = Buffer::allocate(each * static_cast<size_t>(team.size()));
  std::atomic<uint64_t> sum = 0;
  // Each worker touches its part first, so that the part lies in the memory next to it.
  team.run([&](int w) { std::memset(buffer->data() + static_cast<size_t>(w) * each, w + 1, each); });
  double best = 0;
  for (int i = 0; i < kRepeats; ++i) {
    const auto start = Clock::now();
    team.run([&](int w) { sum += kernels.read(buffer->data() + static_cast<size_t>(w) * each, each); });
    best = std::max(best, static_cast<double>(buffer->bytes()) / seconds_since(start));
  }
  return best / 1e9;
}

double measure_peak(Team& team, double (*loop)(int64_t)) {
  int64_t iterations = 1 << 12;
  for (auto start = Clock::now(); loop(iterations), seconds_since(start) < kLeastSeconds; start = Clock::now())
    iterations *= 2;
  double best = 0;
  for (int i = 0; i < kRepeats; ++i) {
    std::atomic<double> operations = 0;
    const auto start = Clock::now();
    team.run([&](int) { operations.fetch_add(loop(iterations)); });
    best = std::max(best, operations.load() / seconds_since(start));
  }
  return best / 1e9;
}

}  // namespace

MachineLimits measure_limits(int threads, const std::string& isa) {
  const cpu::Kernels* kernels = cpu::choose_kernels(isa.empty() ? nullptr : isa.c_str());
  if (kernels == nullptr) throw UsageError("this machine has no instruction set called \"" + isa + "\"");
  Team team(threads);
  return {.threads = team.size(),
          .instruction_set = kernels->name,
          .read_gb_per_s = measure_read(team, *kernels),
          .peak_f32_gflops = measure_peak(team, kernels->peak_f32),
          .peak_bf16_gflops = measure_peak(team, kernels->peak_bf16),
          .peak_int8_gops = measure_peak(team, kernels->peak_int8)};
}

}  // namespace braid
