#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "formats/formats.h"
#include "ops/ops.h"
#include "rewrite/passes.h"
#include "rewrite/rewriter.h"

namespace braid {
namespace {

bool is_float(Format f) { return f == Format::f32 || f == Format::bf16 || f == Format::f16; }
bool is_integer_class(Format f) { return format_ops(f).weight_class == WeightClass::integer; }

/// For each node, whether it depends on parameters and constants alone (what has another size in each step depends on
/// the step).
std::vector<bool> parameter_only(const Graph& graph) {
  std::vector<bool> only(graph.nodes().size(), false);
  for (uint32_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.node(n);
    if (node.op == &op::parameter || node.op == &op::constant) {
      only[n] = true;
      continue;
    }
    if (node.op->kind == Kind::leaf || node.inputs.empty()) continue;
    only[n] = true;
    for (ValueId v : node.inputs) only[n] = only[n] && only[v.node];
    for (const Type& type : node.types)
      for (const Dim& dim : type.shape) only[n] = only[n] && dim.is_number();
  }
  return only;
}

class PrecisionPass {
 public:
  PrecisionPass(const Graph& graph, const RewriteOptions& options, const DevicePrecision& device)
      : graph_(graph), options_(options), device_(device), constant_(parameter_only(graph)), rewriter_(graph) {}

  Graph run() {
    for (uint32_t n = 0; n < graph_.nodes().size(); ++n)
      if (is_product(n))
        for (size_t i = first_weight(n); i < graph_.node(n).inputs.size(); ++i) plan(graph_.node(n).inputs[i]);
    find_mixed();
    for (uint32_t n = 0; n < graph_.nodes().size(); ++n) {
      if (is_product(n)) rewriter_.replace({n}, [this, n](Rewriter&) { rebuild_product(n); });
      const Node& node = graph_.node(n);
      if (node.op == &op::rms_norm || node.op == &op::layer_norm)
        rewriter_.replace({n}, [this, n](Rewriter& rw) { rebuild_norm(rw, n); });
      if (node.op == &op::gather && targets_.count(node.inputs[0]) != 0)
        rewriter_.replace({n}, [this, n](Rewriter& rw) { rebuild_lookup(rw, n); });
    }
    return rewriter_.finish();
  }

 private:
  bool is_product(uint32_t n) const {
    const Node& node = graph_.node(n);
    if (node.op != &op::contract) return false;
    for (size_t i = first_weight(n); i < node.inputs.size(); ++i)
      if (!constant_[node.inputs[i].node] || graph_.type(node.inputs[i]).rank() != 2) return false;
    return true;
  }
  size_t first_weight(uint32_t n) const { return graph_.node(n).attrs.integer_or("grouped", 0) != 0 ? 2 : 1; }

  /// Decides the format of a weight.
  void plan(ValueId weight) {
    const Type& type = graph_.type(weight);
    std::optional<Format> to = options_.weights;
    if (!to && options_.level >= 3 && !options_.exact && type.format == Format::f32) to = Format::bf16;
    if (!to || *to == type.format || !is_float(type.format)) return;
    if (!fits(*to, static_cast<uint64_t>(type.last().number())))
      return;  // stays as it is; the receipt shows its format
    targets_[weight] = *to;
  }

  Format stored(ValueId weight) const {
    auto it = targets_.find(weight);
    return it != targets_.end() ? it->second : graph_.type(weight).format;
  }

  /// Products of integer weights and others multiply f32, so their integer weights stay row-major, in every product.
  void find_mixed() {
    for (bool changed = true; changed;) {
      changed = false;
      for (uint32_t n = 0; n < graph_.nodes().size(); ++n) {
        if (!is_product(n) || all_integer(n)) continue;
        const std::vector<ValueId>& inputs = graph_.node(n).inputs;
        for (size_t i = first_weight(n); i < inputs.size(); ++i)
          if (is_integer_class(stored(inputs[i]))) changed |= mixed_.insert(inputs[i]).second;
      }
    }
  }
  bool all_integer(uint32_t n) const {
    const std::vector<ValueId>& inputs = graph_.node(n).inputs;
    return std::all_of(inputs.begin() + static_cast<std::ptrdiff_t>(first_weight(n)), inputs.end(),
                       [&](ValueId w) { return is_integer_class(stored(w)) && !mixed_.contains(w); });
  }

  /// The converted weight in the layout that its products want; made once.
  Value converted(ValueId weight) {
    if (auto it = converted_.find(weight); it != converted_.end()) return it->second;
    Value w = rewriter_.operand(weight);
    const Format to = stored(weight);
    if (to != w.type().format) {
      if (is_quantized(to))
        w = quantize(w.type().format == Format::f32 ? w : cast(w, Format::f32), to);
      else
        w = cast(w, to);
    }
    if (is_integer_class(to) && !mixed_.contains(weight) && options_.fast() && device_.int8_products &&
        w.type().layout != device_.integer_layout)
      w = pack(w, device_.integer_layout);
    converted_[weight] = w;
    return w;
  }

  /// The product's other operand in the format that suits all its weights.
  Value input_for(uint32_t n) {
    const Node& node = graph_.node(n);
    const ValueId x = node.inputs[0];
    bool all_bf16 = true;
    for (size_t i = first_weight(n); i < node.inputs.size(); ++i) all_bf16 &= stored(node.inputs[i]) == Format::bf16;
    if (!options_.fast() || graph_.type(x).format != Format::f32) return rewriter_.operand(x);
    if (all_integer(n) && device_.int8_products) return shared_input(x, Format::q8_act);
    if (all_bf16 && device_.bf16_products) return shared_input(x, Format::bf16);
    return rewriter_.operand(x);
  }
  Value shared_input(ValueId x, Format to) {
    auto [it, fresh] = inputs_.try_emplace({x, to});
    if (fresh) it->second = to == Format::q8_act ? quantize(rewriter_.operand(x), to) : cast(rewriter_.operand(x), to);
    return it->second;
  }

  void rebuild_product(uint32_t n) {
    const Node& node = graph_.node(n);
    std::vector<Value> operands = {input_for(n)};
    if (first_weight(n) == 2) operands.push_back(rewriter_.operand(node.inputs[1]));
    for (size_t i = first_weight(n); i < node.inputs.size(); ++i) operands.push_back(converted(node.inputs[i]));
    const std::vector<Value> results = rewriter_.builder().copy(node, std::move(operands));
    for (uint32_t r = 0; r < results.size(); ++r) rewriter_.set({n, r}, results[r]);
  }

  /// Weights of norms are few: they are widened at load, so that kernels read f32.
  void rebuild_norm(Rewriter& rw, uint32_t n) {
    const Node& node = graph_.node(n);
    std::vector<Value> operands;
    for (ValueId v : node.inputs) {
      Value operand = rw.operand(v);
      const bool widen = constant_[v.node] && operand.type().format != Format::f32;
      operands.push_back(widen ? cast(operand, Format::f32) : operand);
    }
    rw.set({n, 0}, rw.builder().copy(node, std::move(operands)).front());
  }

  void rebuild_lookup(Rewriter& rw, uint32_t n) {
    const Node& node = graph_.node(n);
    std::vector<Value> operands = {converted(node.inputs[0])};
    for (size_t i = 1; i < node.inputs.size(); ++i) operands.push_back(rw.operand(node.inputs[i]));
    Value rows = rw.builder().copy(node, std::move(operands)).front();
    const Format before = node.types.front().format;
    rw.set({n, 0}, rows.type().format == before ? rows : cast(rows, before));
  }

  const Graph& graph_;
  const RewriteOptions& options_;
  const DevicePrecision& device_;
  std::vector<bool> constant_;
  Rewriter rewriter_;
  std::map<ValueId, Format> targets_;
  std::set<ValueId> mixed_;  // integer weights of products that have others too
  std::map<ValueId, Value> converted_;
  std::map<std::pair<ValueId, Format>, Value> inputs_;
};

}  // namespace

Graph set_precision(const Graph& graph, const RewriteOptions& options, const DevicePrecision& device) {
  return PrecisionPass(graph, options, device).run();
}

Graph split_load_graph(const Graph& graph) {
  const std::vector<bool> constant = parameter_only(graph);
  std::vector<bool> cut(graph.nodes().size(), false);  // computed from parameters, used by something that is not
  auto mark = [&](ValueId v) {
    const Node& node = graph.node(v);
    cut[v.node] = constant[v.node] && node.op->kind != Kind::leaf && node.types.size() == 1;
  };
  for (uint32_t n = 0; n < graph.nodes().size(); ++n)
    if (!constant[n])
      for (ValueId v : graph.node(n).inputs) mark(v);
  for (const auto& output : graph.outputs()) mark(output.value);

  Rewriter rewriter(graph);
  for (uint32_t n = 0; n < graph.nodes().size(); ++n) {
    if (!cut[n]) continue;
    rewriter.replace({n}, [n](Rewriter& rw) {
      const Graph& from = rw.from();
      Builder load;
      std::map<uint32_t, std::vector<Value>> made;
      std::vector<uint32_t> stack = {n};
      while (!stack.empty()) {  // operands before users
        const uint32_t at = stack.back();
        bool ready = made.count(at) == 0;
        if (ready)
          for (ValueId v : from.node(at).inputs)
            if (made.count(v.node) == 0) {
              stack.push_back(v.node);
              ready = false;
            }
        if (made.count(at) != 0) stack.pop_back();
        if (!ready) continue;
        std::vector<Value> operands;
        for (ValueId v : from.node(at).inputs) operands.push_back(made.at(v.node)[v.result]);
        made[at] = load.copy(from.node(at), std::move(operands));
        stack.pop_back();
      }
      load.output("value", made.at(n).front());
      const Type type = from.node(n).types.front();
      rw.set({n, 0},
             rw.builder().pack(print_expression(from, {n, 0}), std::make_shared<const Graph>(load.finish()), type));
    });
  }
  const Graph split = rewriter.finish();
  return Rewriter(split).finish();  // parameters that only packs read are not the graph's any more
}

}  // namespace braid
