#include <cstdio>
#include <fstream>

#include "backend/cpu/backend.h"
#include "cli/command.h"
#include "cli/common.h"
#include "cli/kernel_list.h"
#include "core/json.h"
#include "core/platform.h"
#include "tasks/load.h"
#include "tasks/measure.h"

namespace braid::cli {
namespace {

/// The value in brackets of a file such as ".../transparent_hugepage/enabled"; empty when it cannot be read.
std::string first_line(const char* path) {
  std::string line;
  std::ifstream in(path);
  std::getline(in, line);
  return line;
}

std::vector<std::string> advice(const CpuTopology& cpu, [[maybe_unused]] const CpuFeatures& features) {
  std::vector<std::string> list;
#if defined(__x86_64__)
  if (!features.avx2)
    list.push_back("this processor has no AVX2: the baseline kernels run, slowly");
  else if (!features.avx512_vnni && !features.avx_vnni)
    list.push_back("no VNNI: integer weights save memory, but prefill gains little from them");
#else
  list.push_back("only the baseline kernels exist for this processor: correct, slow");
#endif
  if (cpu.logical < 2) list.push_back("one processor is available to this process: check its affinity or container");
  if (cpu.numa_nodes > 1)
    list.push_back("several memory nodes: numactl --cpunodebind=0 --membind=0 is faster for models that fit in one");
  if (first_line("/sys/kernel/mm/transparent_hugepage/enabled").find("[never]") != std::string::npos)
    list.push_back("transparent huge pages are off: \"madvise\" or \"always\" makes large weights faster");
  if (first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") == "powersave")
    list.push_back("the frequency governor is \"powersave\": \"performance\" is steadier");
  if (cpu.memory_bytes < 4ull << 30)
    list.push_back("less than 4 GB of memory: use --weights q8_0 or q4_0 for larger models");
  return list;
}

std::vector<std::string> feature_names(const CpuFeatures& f) {
  const std::pair<const char*, bool> all[] = {{"avx2", f.avx2},
                                              {"avx512", f.avx512},
                                              {"avx512_vnni", f.avx512_vnni},
                                              {"avx512_bf16", f.avx512_bf16},
                                              {"avx512_fp16", f.avx512_fp16},
                                              {"avx_vnni", f.avx_vnni},
                                              {"amx_bf16", f.amx_bf16},
                                              {"amx_int8", f.amx_int8},
                                              {"neon", f.neon}};
  std::vector<std::string> names;
  for (const auto& [name, present] : all)
    if (present) names.push_back(name);
  return names;
}

struct Findings {
  const CpuTopology& cpu;
  std::vector<std::string> features, advice;
  MachineLimits limits;
};

void write(JsonWriter& json, const Findings& f) {
  const auto strings = [&](const char* key, const auto& list) {
    json.key(key).begin_array();
    for (const auto& text : list) json.value(text);
    json.end_array();
  };
  json.key("cpu").begin_object().member("model", f.cpu.model).member("cores", f.cpu.cores);
  json.member("logical", f.cpu.logical).member("numa_nodes", f.cpu.numa_nodes);
  json.member("l1d_bytes", f.cpu.l1d_bytes).member("l2_bytes", f.cpu.l2_bytes).member("l3_bytes", f.cpu.l3_bytes);
  json.member("memory_bytes", f.cpu.memory_bytes);
  strings("features", f.features);
  json.end_object().key("devices").begin_array();
  json.begin_object().member("name", "cpu").member("description", f.cpu.model).end_object().end_array();
  json.member("read_gb_per_s", f.limits.read_gb_per_s).member("peak_gflops", f.limits.peak_f32_gflops);
  json.member("peak_bf16_gflops", f.limits.peak_bf16_gflops).member("peak_int8_gops", f.limits.peak_int8_gops);
  json.member("threads", f.limits.threads).member("instruction_set", f.limits.instruction_set);
  json.key("instruction_sets").begin_array();
  for (const cpu::KernelSet& set : cpu::kernel_sets()) {
    json.begin_object().member("name", set.kernels->name).member("available", set.available);
    json.member("needs", set.needs).end_object();
  }
  json.end_array();
  strings("backends", device_names());
  json.key("versions").begin_object().member("braid", BRAID_VERSION).member("compiler", __VERSION__).end_object();
  strings("advice", f.advice);
}

std::string text_of(const Findings& f) {
  char text[768];
  std::snprintf(text, sizeof text,
                "cpu           %s: %d cores, %d processors, %d memory nodes\n"
                "memory        %.1f GB; caches: L1 %llu KB, L2 %llu KB a core, L3 %llu KB\n"
                "read          %.1f GB/s with %d threads\n"
                "peak          f32 %.0f GFLOP/s, bf16 %.0f GFLOP/s, int8 %.0f GOP/s\n",
                f.cpu.model.c_str(), f.cpu.cores, f.cpu.logical, f.cpu.numa_nodes,
                static_cast<double>(f.cpu.memory_bytes) / 1e9, static_cast<unsigned long long>(f.cpu.l1d_bytes >> 10),
                static_cast<unsigned long long>(f.cpu.l2_bytes >> 10),
                static_cast<unsigned long long>(f.cpu.l3_bytes >> 10), f.limits.read_gb_per_s, f.limits.threads,
                f.limits.peak_f32_gflops, f.limits.peak_bf16_gflops, f.limits.peak_int8_gops);
  std::string all = std::string(text) + "features     ";
  for (const std::string& name : f.features) all += " " + name;
  all += "\n";
  for (const cpu::KernelSet& set : cpu::kernel_sets())
    all += "kernels       " + std::string(set.kernels->name) + ": " +
           (set.available ? set.kernels->name == f.limits.instruction_set ? "used" : "available"
                          : std::string("needs ") + set.needs) +
           "\n";
  all += "backends     ";
  for (const std::string_view name : device_names()) all += (all.ends_with(' ') ? " " : ", ") + std::string(name);
  all += "\nversions      braid " BRAID_VERSION ", compiled with GCC " __VERSION__ "\n";
  for (const std::string& line : f.advice) all += "advice        " + line + "\n";
  return all;
}

}  // namespace

int doctor(Session& session) {
  Common common;
  bool kernels = false;
  Flags flags = session.flags();
  flags.on_off("--kernels", kernels, "list the CPU's kernels: what they take, need and cost, and their order");
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;

  session.interrupt.end_at_once(true);
  const Findings findings{.cpu = cpu_topology(),
                          .features = feature_names(cpu_features()),
                          .advice = advice(cpu_topology(), cpu_features()),
                          .limits = measure_limits(static_cast<int>(common.threads), common.isa)};
  std::vector<cpu::KernelDescription> table;
  if (kernels) table = cpu::describe_kernels(*cpu::choose_kernels(common.isa.empty() ? nullptr : common.isa.c_str()));
  if (common.json) {
    JsonWriter json;
    write(json.begin_object(), findings);
    if (kernels) write(json, table);
    session.console.print(json.end_object().text() + "\n");
  } else {
    session.console.print(text_of(findings) + text_of(table));
  }
  return 0;
}

}  // namespace braid::cli
