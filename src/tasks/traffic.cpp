#include "tasks/traffic.h"

#include <algorithm>
#include <set>

#include "ir/op.h"
#include "ops/ops.h"

namespace braid {
namespace {

bool is_parameter(const Graph& graph, ValueId value) { return graph.node(value).op == &op::parameter; }

/// Share of an operand's bytes that a node needs: all, but of tables the rows looked up (given in `rows`), and of
/// experts at most one per row. Looks into the bodies of fused nodes.
double share(const Graph& graph, const Node& node, size_t operand, const SymbolValues& sizes) {
  if (node.op == &op::gather && operand == 0) return 0;
  if (node.op == &op::contract && node.attrs.integer_or("grouped", 0) != 0 && operand >= 2) {
    const double rows = static_cast<double>(graph.type(node.inputs[0])[0].at(sizes));
    return std::min(1.0, rows / static_cast<double>(node.inputs.size() - 2));
  }
  if (node.op != &op::fused) return 1;
  const Graph& body = node.attrs.graph("body");
  const ValueId input{body.inputs()[operand], 0};
  double most = 0;
  for (const Node& inner : body.nodes())
    for (size_t i = 0; i < inner.inputs.size(); ++i)
      if (inner.inputs[i] == input) most = std::max(most, share(body, inner, i, sizes));
  return most;
}

/// Tokens that a node sees; INT64_MAX: all.
int64_t window_of(const Node& node) {
  const int64_t window = node.attrs.integer_or("window", 0);
  return window > 0 ? window : INT64_MAX;
}
/// The same of the attention over a state of lifetime token.
int64_t window_of(const Graph& graph, uint32_t state) {
  for (const Node& node : graph.nodes())
    if (node.op == &op::attend && node.attrs.text("cache") == "paged" &&
        (node.inputs[3].node == state || node.inputs[4].node == state))
      return window_of(node);
  return INT64_MAX;
}

double bytes(const Type& type, const SymbolValues& sizes) { return static_cast<double>(byte_size(type, sizes)); }

}  // namespace

Traffic decode_traffic(const Graph& graph, const DecodeSize& size) {
  SymbolValues sizes;
  for (const Symbol s : {Symbol::tokens, Symbol::sequences, Symbol::rows})
    sizes[s] = std::max<int64_t>(1, static_cast<int64_t>(size.sequences));
  for (const Symbol s : {Symbol::pages, Symbol::window_pages, Symbol::slots, Symbol::source_slots})
    sizes[s] = 1;  // bytes of one each
  Traffic traffic;
  std::vector<double> shares(graph.nodes().size(), 0);
  for (const Node& node : graph.nodes()) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!is_parameter(graph, node.inputs[i])) continue;
      double& known = shares[node.inputs[i].node];
      known = std::max(known, share(graph, node, i, sizes));
      if (node.op == &op::gather && i == 0) {
        const Type& table = graph.type(node.inputs[0]);
        const double rows = static_cast<double>(element_count(graph.type(node.inputs[1]).shape, sizes));
        double width = 1;
        for (size_t d = static_cast<size_t>(node.attrs.integer("leading")); d < table.rank(); ++d)
          width *= static_cast<double>(table[d].at(sizes));
        traffic.embeddings +=
            rows * width * info(table.format).block_bytes / static_cast<double>(info(table.format).block_elements);
      }
    }
  }
  for (const uint32_t p : graph.parameters()) traffic.weights += shares[p] * bytes(graph.node(p).types[0], sizes);
  for (const uint32_t s : graph.states()) {
    const Node& state = graph.node(s);
    const double one = bytes(state.types[0], sizes);  // of a page, or of a slot
    const bool paged = state.attrs.integer("lifetime") == static_cast<int64_t>(Lifetime::token);
    const double tokens = std::min(size.context, static_cast<double>(window_of(graph, s)));
    traffic.cache += size.sequences * one * (paged ? tokens / static_cast<double>(size.page_size) : 1.0);
  }
  return traffic;
}

Operations product_operations(const Graph& graph, const SymbolValues& sizes) {
  Operations total;
  for (const Node& node : graph.nodes()) {
    if (node.op == &op::fused) {
      const Operations inner = product_operations(node.attrs.graph("body"), sizes);
      total.f32 += inner.f32;
      total.bf16 += inner.bf16;
      total.int8 += inner.int8;
    } else if (node.op->kind == Kind::contract) {
      const Format x = graph.type(node.inputs[0]).format;
      double& kind = x == Format::q8_act ? total.int8 : x == Format::bf16 ? total.bf16 : total.f32;
      kind += cost(graph, node, sizes).flops;
    }
  }
  return total;
}

double attention_operations(const Graph& graph, int64_t tokens) {
  double total = 0;
  for (const Node& node : graph.nodes()) {
    if (node.op != &op::attend) continue;
    const int64_t window = std::min(tokens, window_of(node));
    const bool causal = node.attrs.integer_or("causal", 1) != 0;
    const double pairs = !causal ? static_cast<double>(tokens) * static_cast<double>(tokens)
                                 : static_cast<double>(window) * static_cast<double>(window + 1) / 2 +
                                       static_cast<double>(tokens - window) * static_cast<double>(window);
    const Type& q = graph.type(node.inputs[0]);                                   // (tokens, heads, head_dim)
    total += 2 * 2 * pairs * static_cast<double>(q[1].number() * q[2].number());  // scores, and their weighted values
  }
  return total;
}

}  // namespace braid
