#pragma once
// One node as the CPU runs it. Steps run in order; all workers of the team run each step together and meet after it.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "backend/cpu/kernels.h"
#include "core/parallel.h"
#include "ir/graph.h"

namespace braid::cpu {

/// An operand or a result: its memory, and its sizes in this step.
struct Operand {
  Type type;
  std::byte* data = nullptr;
  std::vector<int64_t> sizes;
  int64_t rows = 0;  ///< product of all sizes but the last
  int64_t last = 1;

  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data);
  }
  const float* floats() const { return as<const float>(); }
  const int32_t* ints() const { return as<const int32_t>(); }
  int64_t elements() const { return rows * last; }
  size_t row_bytes() const { return braid::row_bytes(type.format, static_cast<uint64_t>(last)); }
  void resize(const SymbolValues& values);
};

/// One thread inside a step.
struct Worker {
  int index = 0;
  int count = 1;
  Team* team = nullptr;
  std::byte* scratch = nullptr;  ///< Step::scratch_bytes of its own, 64-byte aligned

  bool first() const { return index == 0; }
  void barrier() const { team->barrier(); }
};

class Step {
 public:
  virtual ~Step() = default;
  /// Sizes of this step are known: `in` and `out` have been resized. May not allocate beyond what bounds made it
  /// reserve.
  virtual void prepare(const SymbolValues&) {}
  virtual void run(const Worker& worker) noexcept = 0;
  /// Per worker, at the bounds given when the step was made.
  virtual size_t scratch_bytes() const { return 0; }

  /// Sizes are new: resizes operands, resets the counters, calls prepare().
  void begin(const SymbolValues& values);

  std::vector<Operand> in, out;

 protected:
  /// Workers take chunks [i, i + grain) of [0, total) until none is left. `phase` < 3: a counter of its own per phase.
  template <class F>
  void claim(int phase, int64_t total, int64_t grain, F&& body) noexcept {
    while (true) {
      const int64_t begin = counters_[phase].value.fetch_add(grain, std::memory_order_relaxed);
      if (begin >= total) return;
      body(begin, begin + grain < total ? begin + grain : total);
    }
  }

  /// The same one by one, but each worker goes through a range of its own before it takes from others': memory is read
  /// in long streams, and nobody waits for the slowest. `Step::ranges_` must hold a counter per worker.
  template <class F>
  void claim_near(const Worker& worker, int64_t total, F&& body) noexcept {
    for (int i = 0; i < worker.count; ++i) {
      const int64_t owner = (worker.index + i) % worker.count;
      const int64_t begin = total * owner / worker.count, end = total * (owner + 1) / worker.count;
      while (true) {
        const int64_t at = begin + ranges_[static_cast<size_t>(owner)].value.fetch_add(1, std::memory_order_relaxed);
        if (at >= end) break;
        body(at);
      }
    }
  }

  struct alignas(64) Counter {
    std::atomic<int64_t> value{0};
  };
  std::vector<Counter> ranges_;  ///< reset by begin()

 private:
  Counter counters_[3];
};

/// What a step is made from.
struct StepRequest {
  const Graph& graph;
  const Node& node;
  const Kernels& kernels;
  const SymbolValues& bounds;
  int threads;
};

/// One row of the kernel table: which nodes it takes, what it needs, in which order it adds.
struct KernelEntry {
  std::string_view name;
  std::string_view op;     ///< the op of the node ("fused" is listed by its anchor's entry)
  std::string_view order;  ///< "f32, whole K, 16 lanes"; empty: no reduction
  std::string_view needs;  ///< capabilities; empty: any CPU
  double relative_time;    ///< predicted, relative to the best kernel for the op; above 4: a slow path, named on stderr
  /// Empty when it takes the node, else why not.
  std::string (*rejects)(const StepRequest&);
  std::unique_ptr<Step> (*make)(const StepRequest&);
};
/// All entries; for one op, the preferred first.
std::vector<const KernelEntry*> kernel_entries();

}  // namespace braid::cpu
