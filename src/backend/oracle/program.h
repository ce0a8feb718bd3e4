#pragma once
// A graph of core ops, node by node with the function that evaluates each.

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "ir/graph.h"
#include "ir/op.h"

namespace braid::oracle {

class Program;

/// One evaluation of one node.
struct Call {
  const Node& node;
  std::span<const Tensor> in;
  const SymbolValues& sizes;
  const Program* body;  ///< of a scan
  bool fresh;           ///< the results must not share memory with the operands (which may be states)
  std::vector<Tensor> out;

  /// A new tensor, not cleared, of the type of a result; also becomes out[index].
  Tensor make(size_t index = 0);
};
using Evaluate = void (*)(Call&);

struct Entry {
  const OpInfo* op;
  Evaluate run;
};
/// What each source file of this folder evaluates.
std::span<const Entry> elementwise_entries();
std::span<const Entry> reduce_entries();
std::span<const Entry> contract_entries();
std::span<const Entry> move_entries();
std::span<const Entry> scan_entries();
/// Null when nothing evaluates the op.
Evaluate find_evaluate(const OpInfo& op);

class Program {
 public:
  explicit Program(const Graph& graph);

  const Graph& graph() const { return graph_; }
  /// The outputs and then the state results, given the values of the leaves but the constants.
  std::vector<Tensor> run(const std::function<Tensor(uint32_t node)>& leaf, const SymbolValues& sizes) const;

 private:
  struct Step {
    Evaluate run = nullptr;  // null for leaves
    std::shared_ptr<const Program> body;
    bool needed = false;
    bool fresh = false;
    std::vector<ValueId> dead;  // values that nothing reads after this step
  };
  Graph graph_;
  std::vector<Step> steps_;
};

/// Memory that is not cleared: the oracle makes many small tensors.
Tensor make_tensor(std::vector<int64_t> shape, Format format);
/// Calls work(begin, end) for ranges that make up [0, count), in parallel when `cost` operations per item make it pay.
void for_ranges(int64_t count, double cost, const std::function<void(int64_t, int64_t)>& work);

}  // namespace braid::oracle
