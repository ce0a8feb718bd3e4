#include "core/platform.h"

#include <gtest/gtest.h>

#include "support/kit.h"

namespace braid {
namespace {

/// A machine of two packages with two cores of two threads each, as the system's files describe it.
class FakeMachine {
 public:
  FakeMachine() {
    folder_.write("proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 9454\n");
    folder_.write("proc/meminfo", "MemTotal:       16384000 kB\nMemFree: 1 kB\n");
    folder_.write(kSystem + "/cpu/online", "0-7\n");
    folder_.write(kSystem + "/node/online", "0-1\n");
    folder_.write(kSystem + "/node/node0/cpulist", "0-1,4-5\n");
    folder_.write(kSystem + "/node/node1/cpulist", "2-3,6-7\n");
    for (int p = 0; p < 8; ++p) {
      const std::string topology = kSystem + "/cpu/cpu" + std::to_string(p) + "/topology/";
      folder_.write(topology + "physical_package_id", std::to_string(p % 4 / 2));
      folder_.write(topology + "core_id", std::to_string(p % 2));
    }
    cache(0, "1", "Data", "48K");
    cache(1, "1", "Instruction", "32K");
    cache(2, "2", "Unified", "2048K");
    cache(3, "3", "Unified", "64M");
  }
  void write(const std::string& name, const std::string& content) { folder_.write(name, content); }
  CpuTopology read(const std::vector<int>& processors) const {
    return read_topology(folder_.path().string(), processors);
  }

 private:
  void cache(int index, const std::string& level, const std::string& type, const std::string& size) {
    const std::string folder = kSystem + "/cpu/cpu0/cache/index" + std::to_string(index);
    folder_.write(folder + "/level", level);
    folder_.write(folder + "/type", type);
    folder_.write(folder + "/size", size);
  }
  const std::string kSystem = "sys/devices/system";
  test::TempDirectory folder_;
};

TEST(Topology, CountsCoresRatherThanThreads) {
  const CpuTopology t = FakeMachine().read({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(t.model, "AMD EPYC 9454");
  EXPECT_EQ(t.logical, 8);
  EXPECT_EQ(t.cores, 4);
  EXPECT_EQ(t.core_processors, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(t.numa_nodes, 2);
  EXPECT_EQ(t.l1d_bytes, 48u << 10);
  EXPECT_EQ(t.l2_bytes, 2u << 20);
  EXPECT_EQ(t.l3_bytes, 64u << 20);
  EXPECT_EQ(t.memory_bytes, 16384000ull << 10);
  EXPECT_FALSE(t.owned);
}

TEST(Topology, KeepsToTheProcessorsGiven) {
  const CpuTopology t = FakeMachine().read({1, 5, 4});
  EXPECT_EQ(t.logical, 3);
  EXPECT_EQ(t.cores, 2);
  EXPECT_EQ(t.core_processors, (std::vector<int>{1, 4}));
  EXPECT_EQ(t.numa_nodes, 1);
  EXPECT_TRUE(t.owned);
}

TEST(Topology, CountsTheQuotaOfAControlGroup) {
  FakeMachine machine;
  machine.write("proc/self/cgroup", "0::/a/b\n");
  machine.write("sys/fs/cgroup/a/cpu.max", "250000 100000\n");
  machine.write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  machine.write("sys/fs/cgroup/a/memory.max", "1073741824\n");
  machine.write("sys/fs/cgroup/a/b/memory.max", "max\n");
  const CpuTopology t = machine.read({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(t.logical, 3);
  EXPECT_EQ(t.cores, 3);
  EXPECT_EQ(t.memory_bytes, 1u << 30);
}

TEST(Topology, CountsTheQuotaOfAControlGroupOfVersion1) {
  FakeMachine machine;
  machine.write("proc/self/cgroup", "9:cpu,cpuacct:/box\n4:memory:/box/inner\n");
  machine.write("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "100000\n");
  machine.write("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
  machine.write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "536870912\n");
  machine.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  const CpuTopology t = machine.read({0, 1, 2, 3});
  EXPECT_EQ(t.cores, 1);
  EXPECT_EQ(t.memory_bytes, 512u << 20);
}

TEST(Topology, ASystemWithoutFilesStillHasOneCorePerProcessor) {
  test::TempDirectory empty;
  const CpuTopology t = read_topology(empty.path().string(), {0, 3});
  EXPECT_EQ(t.cores, 2);
  EXPECT_EQ(t.numa_nodes, 1);
  EXPECT_GT(t.l1d_bytes, 0u);
  EXPECT_EQ(t.model, "unknown");
}

TEST(Platform, ThisMachineIsConsistent) {
  const CpuTopology& t = cpu_topology();
  EXPECT_GE(t.cores, 1);
  EXPECT_GE(t.logical, t.cores);
  EXPECT_EQ(t.core_processors.size(), static_cast<size_t>(t.cores));
  EXPECT_GT(t.memory_bytes, 0u);
  const CpuFeatures& f = cpu_features();
  EXPECT_LE(f.avx512, f.avx2);
  EXPECT_LE(f.avx512_vnni, f.avx512);
  EXPECT_LE(f.amx_bf16, f.avx512);
  EXPECT_LE(request_amx(), f.amx_bf16 || f.amx_int8);
  EXPECT_GT(resident_bytes(), 0u);
  EXPECT_GE(peak_resident_bytes() + (1u << 20), resident_bytes());
}

}  // namespace
}  // namespace braid
