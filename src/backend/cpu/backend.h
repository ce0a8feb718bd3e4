#pragma once
// The CPU as a backend.

#include <memory>
#include <string>

#include "backend/backend.h"
#include "backend/cpu/kernels.h"
#include "core/parallel.h"

namespace braid::cpu {

struct CpuOptions {
  int threads = 0;  ///< 0: one per core
  std::string isa;  ///< name of a kernel table; empty: the best that this machine can run
};

class CpuBackend : public Backend {
 public:
  /// Throws UsageError for an instruction set that is unknown or not available.
  explicit CpuBackend(const CpuOptions& options = {});

  std::string_view name() const override { return "cpu"; }
  Device device() const override { return {}; }
  std::shared_ptr<Buffer> allocate(size_t bytes) override { return Buffer::allocate(bytes); }
  LoadRunner load_runner() const override;
  std::vector<SizeClass> size_classes() const override;
  bool claims(const Graph& graph, const Node& node) const override;
  std::unique_ptr<Executable> compile(const Graph& graph, const CompileOptions& options) override;

  const Kernels& kernels() const { return kernels_; }
  Team& team() { return *team_; }

 private:
  const Kernels& kernels_;
  std::shared_ptr<Team> team_;
  bool bf16_pays_;
};

std::shared_ptr<CpuBackend> make_cpu_backend(const CpuOptions& options = {});

/// One line per entry of the kernel table, for `braid doctor --kernels`.
struct KernelDescription {
  std::string name, op, order, needs;
  double relative_time;
  bool available;
};
std::vector<KernelDescription> describe_kernels(const Kernels& kernels);

}  // namespace braid::cpu
