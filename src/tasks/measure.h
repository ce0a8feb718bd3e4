#pragma once
// The limits of this machine that speeds are compared with, measured with the threads that steps use.

#include <string>

namespace braid {

struct MachineLimits {
  int threads = 0;
  std::string instruction_set;  ///< name of the kernel table measured
  double read_gb_per_s = 0;     ///< 10⁹ bytes per second, all threads reading memory that no cache holds
  /// 10⁹ operations per second (2 per multiply-add) of the instruction that products of this kind use.
  double peak_f32_gflops = 0, peak_bf16_gflops = 0, peak_int8_gops = 0;
};

/// `threads` 0: one per core; `isa` the name of a kernel table, empty for the best that runs here. Takes about a second
/// and a quarter of the memory, at most 1 GB. The best of several repetitions counts, since other work on the machine
/// can only slow one down.
MachineLimits measure_limits(int threads, const std::string& isa = {});

}  // namespace braid
