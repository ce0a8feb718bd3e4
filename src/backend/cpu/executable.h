#pragma once
// A graph compiled for the CPU: steps in order over one arena.

#include <memory>
#include <vector>

#include "backend/arena.h"
#include "backend/backend.h"
#include "backend/cpu/step.h"

namespace braid::cpu {

class CpuExecutable : public Executable {
 public:
  /// `graph` is final: every node is a leaf, a view, or taken by an entry of the kernel table. Throws Error otherwise,
  /// and for a slow path when options.strict.
  CpuExecutable(Graph graph, const CompileOptions& options, const Kernels& kernels, std::shared_ptr<Team> team);

  void bind(WeightStore& weights, StateMap& states) override;
  void prepare(const StepData& step) override;
  Status run() noexcept override;
  Tensor output(std::string_view name) const override;
  std::vector<std::string> outputs() const override;
  Receipt receipt() const override { return receipt_; }
  uint64_t arena_bytes() const override { return plan_.bytes + scratch_bytes_ * static_cast<uint64_t>(team_->size()); }
  const Graph& graph() const override { return graph_; }

 private:
  std::byte* address(ValueId value) const;
  void check_indices(const StepData& step) const;

  Graph graph_;
  CompileOptions options_;
  std::shared_ptr<Team> team_;
  ArenaPlan plan_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<uint32_t> step_nodes_;
  std::shared_ptr<Buffer> arena_;
  std::vector<Tensor> leaves_;  // by node: parameters, constants, states
  uint64_t scratch_bytes_ = 0;  // per worker
  SymbolValues sizes_;
  Receipt receipt_;
};

/// The entry that takes a node, or null; the others that could have been meant and why they were not, through
/// `rejected`.
const KernelEntry* choose_kernel(const StepRequest& request, std::vector<ReceiptLine::Rejected>* rejected);

}  // namespace braid::cpu
