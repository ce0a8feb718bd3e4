#include <sched.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "core/platform.h"

namespace braid {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

int64_t number_in(const std::string& text, int64_t otherwise) {
  int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "32K", "1M", "32768".
uint64_t size_in(const std::string& text) {
  const auto value = static_cast<uint64_t>(std::max<int64_t>(number_in(text, 0), 0));
  if (text.find('K') != text.npos) return value << 10;
  if (text.find('M') != text.npos) return value << 20;
  return value;
}

/// "0-3,8" → {0, 1, 2, 3, 8}.
std::vector<int> processor_list(const std::string& text) {
  std::vector<int> list;
  std::stringstream ranges(text);
  for (std::string range; std::getline(ranges, range, ',');) {
    const int64_t first = number_in(range, -1);
    const size_t dash = range.find('-');
    const int64_t last = dash == range.npos ? first : number_in(range.substr(dash + 1), -1);
    for (int64_t i = first; i >= 0 && i <= last && last < 1 << 16; ++i) list.push_back(static_cast<int>(i));
  }
  return list;
}

/// A line "KEY : VALUE" of a file of /proc.
std::string proc_value(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, key.size(), key) != 0) continue;
    const size_t colon = line.find(':');
    const size_t start = colon == line.npos ? line.npos : line.find_first_not_of(" \t", colon + 1);
    if (start != line.npos) return line.substr(start);
  }
  return {};
}

/// The folders of this process's control group under `mount`, from its own up to the top: a limit of any of them holds.
std::vector<std::string> group_folders(const std::string& mount, std::string path) {
  std::vector<std::string> folders;
  while (!path.empty() && path != "/") {
    folders.push_back(mount + path);
    path.resize(path.find_last_of('/') == path.npos ? 0 : path.find_last_of('/'));
  }
  folders.push_back(mount);
  return folders;
}

struct GroupLimits {
  double processors = 0;  // 0: none
  uint64_t memory = 0;    // 0: none

  void limit_processors(double n) { processors = n > 0 && (processors == 0 || n < processors) ? n : processors; }
  void limit_memory(uint64_t n) { memory = n > 0 && (memory == 0 || n < memory) ? n : memory; }
};

void read_group_v2(const std::string& folder, GroupLimits& limits) {
  const std::string cpu = first_line(folder + "/cpu.max");  // "QUOTA PERIOD" or "max PERIOD", microseconds
  const int64_t quota = number_in(cpu, 0);
  const size_t space = cpu.find(' ');
  if (quota > 0 && space != cpu.npos)
    limits.limit_processors(static_cast<double>(quota) /
                            static_cast<double>(std::max<int64_t>(number_in(cpu.substr(space + 1), 100000), 1)));
  limits.limit_memory(static_cast<uint64_t>(std::max<int64_t>(number_in(first_line(folder + "/memory.max"), 0), 0)));
}

GroupLimits group_limits(const std::string& root) {
  GroupLimits limits;
  const std::string groups = root + "/sys/fs/cgroup";
  std::ifstream file(root + "/proc/self/cgroup");  // lines "ID:CONTROLLERS:PATH"; version 2 has no controllers
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",",
                      path = line.substr(second + 1);
    if (controllers == ",,") {
      for (const auto& mount : {groups, groups + "/unified"})
        for (const std::string& folder : group_folders(mount, path)) read_group_v2(folder, limits);
    } else if (controllers.find(",cpu,") != controllers.npos) {
      for (const std::string& folder : group_folders(groups + "/cpu", path)) {
        const int64_t quota = number_in(first_line(folder + "/cpu.cfs_quota_us"), -1);
        const int64_t period = number_in(first_line(folder + "/cpu.cfs_period_us"), 100000);
        if (quota > 0)
          limits.limit_processors(static_cast<double>(quota) / static_cast<double>(std::max<int64_t>(period, 1)));
      }
    } else if (controllers.find(",memory,") != controllers.npos) {
      for (const std::string& folder : group_folders(groups + "/memory", path))
        limits.limit_memory(
            static_cast<uint64_t>(std::max<int64_t>(number_in(first_line(folder + "/memory.limit_in_bytes"), 0), 0)));
    }
  }
  return limits;
}

void read_caches(const std::string& root, int processor, CpuTopology& topology) {
  const std::string folder = root + "/sys/devices/system/cpu/cpu" + std::to_string(processor) + "/cache/index";
  for (int i = 0; i < 8; ++i) {
    const std::string index = folder + std::to_string(i);
    const uint64_t bytes = size_in(first_line(index + "/size"));
    const int64_t level = number_in(first_line(index + "/level"), 0);
    if (bytes == 0 || first_line(index + "/type") == "Instruction") continue;
    if (level == 1) topology.l1d_bytes = bytes;
    if (level == 2) topology.l2_bytes = bytes;
    if (level == 3) topology.l3_bytes = bytes;
  }
}

std::vector<int> allowed_processors() {
  std::vector<int> list;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &set)) list.push_back(i);
  if (list.empty()) list.push_back(0);
  return list;
}

}  // namespace

CpuTopology read_topology(const std::string& root, const std::vector<int>& processors) {
  const std::string system = root + "/sys/devices/system";
  CpuTopology topology;
  topology.model = proc_value(root + "/proc/cpuinfo", "model name");
  if (topology.model.empty()) topology.model = "unknown";

  std::set<std::pair<int64_t, int64_t>> cores;  // (package, core)
  for (int processor : processors) {
    const std::string folder = system + "/cpu/cpu" + std::to_string(processor) + "/topology/";
    const int64_t package = number_in(first_line(folder + "physical_package_id"), 0);
    const int64_t core = number_in(first_line(folder + "core_id"), processor);
    if (cores.emplace(package, core).second) topology.core_processors.push_back(processor);
  }
  topology.logical = static_cast<int>(processors.size());

  const std::set<int> allowed(processors.begin(), processors.end());
  int nodes = 0;
  for (int node : processor_list(first_line(system + "/node/online"))) {
    const auto list = processor_list(first_line(system + "/node/node" + std::to_string(node) + "/cpulist"));
    nodes += std::any_of(list.begin(), list.end(), [&](int p) { return allowed.contains(p); }) ? 1 : 0;
  }
  topology.numa_nodes = std::max(nodes, 1);

  const size_t online = processor_list(first_line(system + "/cpu/online")).size();
  topology.owned = processors.size() < online;
  if (!processors.empty()) read_caches(root, processors.front(), topology);

  const GroupLimits limits = group_limits(root);
  if (limits.processors > 0) {
    // A quota of time, not a set: more threads than it pays for would only be throttled.
    const int quota = std::max(1, static_cast<int>(std::ceil(std::min(limits.processors, 1e6))));
    if (quota < topology.logical) {
      topology.logical = quota;
      topology.owned = false;
      topology.core_processors.resize(std::min(topology.core_processors.size(), static_cast<size_t>(quota)));
    }
  }
  topology.cores = std::max<int>(1, static_cast<int>(topology.core_processors.size()));
  topology.memory_bytes = size_in(proc_value(root + "/proc/meminfo", "MemTotal")) << 10;
  if (limits.memory > 0 && (topology.memory_bytes == 0 || limits.memory < topology.memory_bytes))
    topology.memory_bytes = limits.memory;
  return topology;
}

const CpuTopology& cpu_topology() {
  static const CpuTopology topology = read_topology("", allowed_processors());
  return topology;
}

uint64_t resident_bytes() {
  const std::string line = first_line("/proc/self/statm");  // pages: total resident …
  const size_t space = line.find(' ');
  if (space == line.npos) return 0;
  return static_cast<uint64_t>(std::max<int64_t>(number_in(line.substr(space + 1), 0), 0)) *
         static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) << 10;
}

}  // namespace braid
