#pragma once
// What the machine is: instruction sets, cores, memory.

#include <cstdint>
#include <string>
#include <vector>

namespace braid {

/// Instruction-set extensions that kernels may need, as found at run time (the operating system's support included).
struct CpuFeatures {
  bool avx2 = false;    ///< AVX2 + FMA + F16C
  bool avx512 = false;  ///< AVX-512 F, BW, DQ, VL
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool avx512_fp16 = false;
  bool avx_vnni = false;
  bool amx_bf16 = false;
  bool amx_int8 = false;
  bool neon = false;  ///< AArch64
};
const CpuFeatures& cpu_features();
/// Asks the operating system for AMX tile registers for this process, which the features above only promise. False when
/// the machine has none or the system refuses.
bool request_amx();

struct CpuTopology {
  std::string model;  ///< "AMD EPYC 9454"
  int logical = 1;    ///< processors this process may use (a quota of its control group counted)
  int cores = 1;      ///< distinct cores among them
  int numa_nodes = 1;
  bool owned = false;                ///< the process was given some of the processors for itself (taskset, a cpuset)
  std::vector<int> core_processors;  ///< one processor per core, in the order in which threads should take them
  uint64_t l1d_bytes = 32 << 10;     ///< per core
  uint64_t l2_bytes = 512 << 10;     ///< per core
  uint64_t l3_bytes = 0;             ///< shared
  uint64_t memory_bytes = 0;         ///< what this process may use (the cgroup's limit included)
};
const CpuTopology& cpu_topology();
/// The same from the files of /proc and /sys below `root`, for a process that may run on `processors`.
CpuTopology read_topology(const std::string& root, const std::vector<int>& processors);

/// Resident set of this process now and at its peak, in bytes.
uint64_t resident_bytes();
uint64_t peak_resident_bytes();

}  // namespace braid
