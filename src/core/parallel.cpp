#include "core/parallel.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/platform.h"

namespace braid {
namespace {

constexpr int kLowPriority = 10;  // nice value of parallel_for's threads
// How long a thread spins before it sleeps. A wake-up costs some 5 to 50 µs, so spinning a few times that is never far
// from the best choice; between two steps of decoding the host needs less than this.
constexpr auto kSpin = std::chrono::microseconds(200);

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// A counter that threads wait on: they spin, then sleep in the kernel. Raising it costs no system call while nobody
/// sleeps.
class alignas(64) Signal {
 public:
  uint32_t load() const { return word_.load(std::memory_order_acquire); }

  void raise() {
    // Sequentially consistent with wait(): either the sleeper sees the new word or we see the sleeper.
    word_.fetch_add(1);
    if (sleepers_.load() != 0) futex(FUTEX_WAKE_PRIVATE, std::numeric_limits<int>::max());
  }

  /// Returns when the counter is no longer `old`.
  void wait(uint32_t old, bool spin) {
    if (spin && spin_until_changed(old)) return;
    sleepers_.fetch_add(1);
    while (word_.load() == old) futex(FUTEX_WAIT_PRIVATE, old);
    sleepers_.fetch_sub(1);
  }

 private:
  bool spin_until_changed(uint32_t old) const {
    constexpr int kLooksPerClock = 64;  // reading the clock costs as much as a few pauses
    const auto start = std::chrono::steady_clock::now();
    do {
      for (int i = 0; i < kLooksPerClock; ++i) {
        if (load() != old) return true;
        pause();
      }
    } while (std::chrono::steady_clock::now() - start < kSpin);
    return false;
  }

  void futex(int operation, uint32_t value) { syscall(SYS_futex, &word_, operation, value, nullptr, nullptr, 0); }

  std::atomic<uint32_t> word_{0};
  std::atomic<uint32_t> sleepers_{0};
};
static_assert(sizeof(std::atomic<uint32_t>) == 4, "a futex is a plain 32-bit word");

/// Pins the calling thread when the process was given a set of processors of its own (taskset, a cpuset): there, nobody
/// else competes for them. On a shared machine the system's scheduler knows better.
void follow_core(int worker, int team) {
  const CpuTopology& topology = cpu_topology();
  if (!topology.owned || team > topology.cores) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(topology.core_processors[static_cast<size_t>(worker)], &set);
  sched_setaffinity(0, sizeof set, &set);  // a refusal costs speed only
}

}  // namespace

struct Team::State {
  explicit State(int threads) : size(threads), spin(threads <= cpu_topology().logical) {}

  void work(int worker) {
    follow_core(worker, size);
    for (uint32_t seen = 0;;) {
      start.wait(seen, spin);
      seen = start.load();
      if (stop.load(std::memory_order_relaxed)) return;
      (*body)(worker);
      finish();
    }
  }

  void finish() {
    if (running.fetch_sub(1, std::memory_order_acq_rel) == 1) done.raise();
  }

  const int size;
  const bool spin;
  std::mutex queue;  // held by the caller whose step runs; the others queue here
  const FunctionRef<void(int)>* body = nullptr;
  std::atomic<bool> stop{false};
  Signal start;
  Signal done;
  Signal phase;
  alignas(64) std::atomic<int> running{0};
  alignas(64) std::atomic<int> arrived{0};
  std::vector<std::thread> threads;
};

Team::Team(int threads) : state_(std::make_unique<State>(threads > 0 ? threads : cpu_topology().cores)) {
  state_->threads.reserve(static_cast<size_t>(state_->size - 1));
  try {
    for (int worker = 1; worker < state_->size; ++worker)
      state_->threads.emplace_back([state = state_.get(), worker] { state->work(worker); });
  } catch (const std::system_error& error) {
    state_->stop = true;
    state_->start.raise();
    for (std::thread& thread : state_->threads) thread.join();
    throw Error("cannot start " + std::to_string(state_->size) + " threads: " + error.what(), {}, "lower --threads");
  }
}

Team::~Team() {
  state_->stop = true;
  state_->start.raise();
  for (std::thread& thread : state_->threads) thread.join();
}

int Team::size() const { return state_->size; }

void Team::run(FunctionRef<void(int)> body) noexcept {
  std::lock_guard lock(state_->queue);
  if (state_->size == 1) return body(0);
  const uint32_t done = state_->done.load();
  state_->body = &body;
  state_->running.store(state_->size, std::memory_order_relaxed);
  state_->start.raise();
  body(0);
  state_->finish();
  state_->done.wait(done, state_->spin);
}

void Team::barrier() noexcept {
  if (state_->size == 1) return;
  const uint32_t phase = state_->phase.load();
  if (state_->arrived.fetch_add(1, std::memory_order_acq_rel) == state_->size - 1) {
    state_->arrived.store(0, std::memory_order_relaxed);  // published by raise()
    state_->phase.raise();
  } else {
    state_->phase.wait(phase, state_->spin);
  }
}

void parallel_for(size_t count, FunctionRef<void(size_t)> body, int threads) {
  const size_t wanted = static_cast<size_t>(threads > 0 ? threads : cpu_topology().cores);
  const size_t helpers = std::min(wanted, count) - (count > 0 ? 1 : 0);
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto claim = [&]() noexcept {
    for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
      try {
        body(i);
      } catch (...) {
        std::lock_guard lock(failure_mutex);
        if (!failure) failure = std::current_exception();
        next.store(count, std::memory_order_relaxed);
      }
    }
  };
  std::vector<std::thread> pool;
  try {
    pool.reserve(helpers);
    for (size_t i = 0; i < helpers; ++i)
      pool.emplace_back([&claim] {
        setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kLowPriority);
        claim();
      });
  } catch (const std::exception&) {
    // The threads that did start, and the caller, do the work.
  }
  claim();
  for (std::thread& thread : pool) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace braid
