#include "backend/cpu/backend.h"

#include <algorithm>
#include <chrono>

#include "backend/cpu/executable.h"
#include "backend/cpu/load.h"
#include "backend/cpu/steps/steps.h"
#include "core/error.h"
#include "rewrite/passes.h"

namespace braid::cpu {
namespace {

const Kernels& require_kernels(const std::string& isa) {
  if (const Kernels* found = choose_kernels(isa.empty() ? nullptr : isa.c_str()); found != nullptr) return *found;
  std::string list;
  for (const KernelSet& set : kernel_sets())
    if (set.available) list += (list.empty() ? "" : ", ") + std::string(set.kernels->name);
  throw UsageError("instruction set \"" + isa + "\" is not available", {}, "this machine has " + list);
}

/// Whether bf16 products are faster than f32 ones here: on Zen 4 twice as fast, on Sapphire Rapids half as fast, so it
/// is measured (some microseconds; the best of three, since something else may run).
bool bf16_pays(const Kernels& kernels) {
  if (!kernels.native_bf16) return false;
  const auto rate = [](double (*peak)(int64_t)) {
    const auto began = std::chrono::steady_clock::now();
    const double operations = peak(2000);
    return operations / std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  double f32 = 0, bf16 = 0;
  for (int i = 0; i < 3; ++i) {
    f32 = std::max(f32, rate(kernels.peak_f32));
    bf16 = std::max(bf16, rate(kernels.peak_bf16));
  }
  return bf16 > f32;
}

}  // namespace

CpuBackend::CpuBackend(const CpuOptions& options)
    : kernels_(require_kernels(options.isa)),
      team_(std::make_shared<Team>(options.threads)),
      bf16_pays_(bf16_pays(kernels_)) {}

std::shared_ptr<CpuBackend> make_cpu_backend(const CpuOptions& options) {
  return std::make_shared<CpuBackend>(options);
}

LoadRunner CpuBackend::load_runner() const { return run_load_graph; }

std::vector<SizeClass> CpuBackend::size_classes() const { return {{"one", 1}, {"few", 16}, {"many", INT64_MAX}}; }

bool CpuBackend::claims(const Graph& graph, const Node& node) const {
  SymbolValues bounds;
  bounds.value.fill(1);
  const KernelEntry* entry = choose_kernel({graph, node, kernels_, bounds, team_->size()}, nullptr);
  return entry != nullptr && entry != &kInterpret;
}

std::unique_ptr<Executable> CpuBackend::compile(const Graph& graph, const CompileOptions& options) {
  PipelineOptions pipeline;
  pipeline.rewrite = options.rewrite;
  pipeline.max_tokens = options.bounds[Symbol::tokens];
  pipeline.device.bf16_products = bf16_pays_;
  pipeline.device.int8_products = true;
  pipeline.device.integer_layout = Layout::interleave16;
  pipeline.claimed = [this](const Graph& g, const Node& node) { return claims(g, node); };
  return std::make_unique<CpuExecutable>(run_passes(graph, pipeline), options, kernels_, team_);
}

std::vector<KernelDescription> describe_kernels(const Kernels& kernels) {
  std::vector<KernelDescription> list;
  for (const KernelEntry* entry : kernel_entries()) {
    const bool bf16_only = entry == &kProductBf16;
    list.push_back({std::string(entry->name), std::string(entry->op), std::string(entry->order),
                    std::string(entry->needs), entry->relative_time, !bf16_only || kernels.native_bf16});
  }
  return list;
}

}  // namespace braid::cpu
