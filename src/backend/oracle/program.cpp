#include "backend/oracle/program.h"

#include <algorithm>
#include <new>
#include <set>

#include "core/error.h"
#include "core/parallel.h"
#include "rewrite/passes.h"
#include "rewrite/rewriter.h"

namespace braid::oracle {
namespace {

std::string name_of(const Graph& graph, uint32_t index) {
  const Node& node = graph.node(index);
  std::string text = "%" + std::to_string(index) + " = " + std::string(node.op->name);
  for (const std::string& scope : node.origin.scopes) text += " in " + scope;
  return text;
}

/// Values that are states or their versions.
std::set<ValueId> state_versions(const Graph& graph) {
  std::set<ValueId> versions;
  for (uint32_t n = 0; n < graph.nodes().size(); ++n) {
    if (graph.node(n).op == &op::state) versions.insert({n, 0});
    for (auto [operand, result] : updates(graph.node(n))) versions.insert({n, result});
  }
  return versions;
}

}  // namespace

Tensor make_tensor(std::vector<int64_t> shape, Format format) {
  constexpr std::align_val_t kAlign{64};
  Tensor tensor{std::move(shape), format, Layout::row_major, nullptr, 0};
  const size_t bytes = tensor.byte_size();
  void* data = ::operator new(bytes + 1, kAlign);
  tensor.buffer = std::make_shared<Buffer>(data, bytes, Device{},
                                           Owner(data, [](void* p) { ::operator delete(p, std::align_val_t{64}); }));
  return tensor;
}

void for_ranges(int64_t count, double cost, const std::function<void(int64_t, int64_t)>& work) {
  constexpr double kWorthThreads = 2e6;  // operations: starting threads takes some 50 µs
  constexpr int64_t kParts = 16;         // more than there are threads: they differ in speed
  if (static_cast<double>(count) * cost < kWorthThreads) return work(0, count);
  const int64_t parts = std::min(count, kParts);
  parallel_for(static_cast<size_t>(parts), [&](size_t part) {
    const auto p = static_cast<int64_t>(part);
    work(count * p / parts, count * (p + 1) / parts);
  });
}

Evaluate find_evaluate(const OpInfo& op) {
  for (auto entries : {elementwise_entries(), reduce_entries(), contract_entries(), move_entries(), scan_entries()})
    for (const Entry& entry : entries)
      if (entry.op == &op) return entry.run;
  return nullptr;
}

Tensor Call::make(size_t index) {
  const Type& type = node.types[index];
  if (out.size() <= index) out.resize(index + 1);
  return out[index] = make_tensor(sizes_at(type.shape, sizes), type.format);
}

Program::Program(const Graph& graph)
    : graph_(expand_unclaimed(graph, [](const Graph&, const Node&) { return false; })), steps_(graph_.nodes().size()) {
  const std::set<ValueId> versions = state_versions(graph_);
  const std::vector<bool> needed = needed_nodes(graph_);
  std::vector<uint32_t> last_use(graph_.nodes().size(), 0);
  for (uint32_t n = 0; n < graph_.nodes().size(); ++n) {
    const Node& node = graph_.node(n);
    Step& step = steps_[n];
    step.needed = needed[n];
    if (!step.needed || node.op->kind == Kind::leaf) continue;
    step.run = find_evaluate(*node.op);
    if (step.run == nullptr)
      throw Error("the oracle does not evaluate " + std::string(node.op->name),
                  {.file = {}, .field = name_of(graph_, n), .offset = {}});
    if (node.attrs.has("body")) step.body = std::make_shared<const Program>(node.attrs.graph("body"));
    for (ValueId v : node.inputs) {
      step.fresh |= versions.count(v) != 0;
      last_use[v.node] = n;
    }
  }
  for (const auto& output : graph_.outputs()) last_use[output.value.node] = UINT32_MAX;
  for (const auto& result : graph_.state_results()) last_use[result.value.node] = UINT32_MAX;
  for (uint32_t n = 0; n < graph_.nodes().size(); ++n)
    if (last_use[n] != 0 && last_use[n] != UINT32_MAX) steps_[last_use[n]].dead.push_back({n, 0});
}

std::vector<Tensor> Program::run(const std::function<Tensor(uint32_t)>& leaf, const SymbolValues& sizes) const {
  std::vector<std::vector<Tensor>> values(graph_.nodes().size());
  std::vector<Tensor> operands;
  for (uint32_t n = 0; n < graph_.nodes().size(); ++n) {
    const Node& node = graph_.node(n);
    const Step& step = steps_[n];
    if (!step.needed) continue;
    if (step.run == nullptr) {
      values[n] = {node.op == &op::constant ? node.attrs.tensor("value") : leaf(n)};
      continue;
    }
    operands.clear();
    for (ValueId v : node.inputs) operands.push_back(values[v.node][v.result]);
    Call call{node, operands, sizes, step.body.get(), step.fresh, {}};
    try {
      step.run(call);
    } catch (const Error& error) {
      throw Error(error.message(), {.file = {}, .field = name_of(graph_, n), .offset = {}}, error.advice());
    }
    values[n] = std::move(call.out);
    for (ValueId v : step.dead) values[v.node].clear();
  }
  std::vector<Tensor> results;
  for (const auto& output : graph_.outputs()) results.push_back(values[output.value.node][output.value.result]);
  for (const auto& result : graph_.state_results()) results.push_back(values[result.value.node][result.value.result]);
  return results;
}

}  // namespace braid::oracle
