#pragma once
// The limits of this machine that speeds are compared with, measured with the threads that steps use.

#include <cstddef>
#include <memory>
#include <string>

namespace braid {

struct MachineLimits {
  int threads = 0;
  std::string instruction_set;  ///< name of the kernel table measured
  double read_gb_per_s = 0;     ///< 10⁹ bytes per second, all threads reading memory that no cache holds
  /// 10⁹ operations per second (2 per multiply-add) of the instruction that products of this kind use.
  double peak_f32_gflops = 0, peak_bf16_gflops = 0, peak_int8_gops = 0;
};

/// Measures the limits again and again, so that samples can be taken between the work that they are compared with: a
/// machine's clock and its neighbours change from second to second.
class LimitMeter {
 public:
  /// `threads` 0: one per core; `isa` the name of a kernel table, empty for the best that runs here. Holds a quarter of
  /// the memory, at most 1 GB. Throws UsageError when the instruction set is not there.
  explicit LimitMeter(int threads, const std::string& isa = {});
  ~LimitMeter();
  LimitMeter(const LimitMeter&) = delete;
  LimitMeter& operator=(const LimitMeter&) = delete;

  void sample_read();   ///< some hundredths of a second, and the caches hold nothing useful afterwards
  void sample_peaks();  ///< some tenths of a second
  size_t resident_bytes() const;
  MachineLimits median() const;  ///< of the samples; 0 where there is none
  /// What counts on its own: other work on the machine can only slow a sample down.
  MachineLimits best() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The best of several samples. Takes about a second.
MachineLimits measure_limits(int threads, const std::string& isa = {});

}  // namespace braid
