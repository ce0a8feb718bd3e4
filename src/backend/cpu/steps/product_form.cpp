#include <algorithm>
#include <map>

#include "backend/cpu/steps/product.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

using Norm = ProductForm::Prologue::Norm;
using Spread = ProductForm::External::Spread;

/// Reads the body of a fused node (or a graph of one contract) into a form.
class FormReader {
 public:
  FormReader(const Graph& body, std::vector<int> operand_of_input, std::string* why)
      : body_(body), operands_(std::move(operand_of_input)), why_(why) {}

  std::optional<ProductForm> read() {
    for (uint32_t n = 0; n < body_.nodes().size(); ++n) {
      if (body_.node(n).op != &op::contract) continue;
      if (anchor_ != UINT32_MAX) return fail("more than one product");
      anchor_ = n;
    }
    if (anchor_ == UINT32_MAX) return fail("no product");
    const Node& contract = body_.node(anchor_);
    if (!read_weights(contract) || !read_prologue(contract.inputs[0]) || !read_epilogues(contract)) return std::nullopt;
    return std::move(form_);
  }

 private:
  std::nullopt_t fail(const char* reason) {
    if (why_ != nullptr) *why_ = reason;
    return std::nullopt;
  }
  /// The step's operand behind a value of the body; -1 when it is computed inside.
  int operand(ValueId v) const {
    for (size_t i = 0; i < body_.inputs().size(); ++i)
      if (body_.inputs()[i] == v.node) return operands_[i];
    return -1;
  }

  bool read_weights(const Node& contract) {
    const bool grouped = contract.attrs.integer_or("grouped", 0) != 0;
    const size_t first = grouped ? 2 : 1;
    if (grouped) form_.offsets = operand(contract.inputs[1]);
    form_.x_format = body_.type(contract.inputs[0]).format;
    form_.k = body_.type(contract.inputs[0]).last().number();
    for (size_t i = first; i < contract.inputs.size(); ++i) {
      const Type& w = body_.type(contract.inputs[i]);
      if (w.rank() != 2 || !w[0].is_number()) {
        fail("a weight is not a matrix of fixed size");
        return false;
      }
      const int index = operand(contract.inputs[i]);
      if (index < 0) {
        fail("a weight is computed in the same node");
        return false;
      }
      weights_.push_back(index);
    }
    if (grouped) {
      form_.experts = weights_;
      weights_.resize(1);
    }
    return true;
  }

  bool read_prologue(ValueId x) {
    const Node* node = &body_.node(x);
    used_.push_back(anchor_);
    if (node->op == &op::quantize || node->op == &op::cast) {
      form_.prologue.encode = true;
      used_.push_back(x.node);
      x = node->inputs[0];
      node = &body_.node(x);
    }
    if (node->op == &op::rms_norm || node->op == &op::layer_norm) {
      form_.prologue.norm = node->op == &op::rms_norm ? Norm::rms : Norm::layer;
      form_.prologue.epsilon = static_cast<float>(node->attrs.number("epsilon"));
      form_.prologue.weight = operand(node->inputs[1]);
      if (node->inputs.size() > 2) form_.prologue.bias = operand(node->inputs[2]);
      used_.push_back(x.node);
      x = node->inputs[0];
    }
    form_.x = operand(x);
    if (form_.x >= 0 && (form_.prologue.norm == Norm::none || form_.prologue.weight >= 0)) return true;
    fail("what comes before the product is not a norm or a conversion");
    return false;
  }

  bool read_epilogues(const Node& contract) {
    // Results that one node joins are computed together.
    const size_t count = contract.types.size();
    std::vector<size_t> group(count);
    for (size_t i = 0; i < count; ++i) group[i] = i;
    std::map<uint32_t, size_t> group_of_node;
    auto unite = [&](size_t a, size_t b) {
      for (size_t& g : group)
        if (g == b) g = a;
      for (auto& [n, g] : group_of_node)
        if (g == b) g = a;
    };
    for (uint32_t n = anchor_ + 1; n < body_.nodes().size(); ++n) {
      const Node& node = body_.node(n);
      if (node.op->kind == Kind::leaf || std::find(used_.begin(), used_.end(), n) != used_.end()) continue;
      std::optional<size_t> mine;
      for (ValueId v : node.inputs) {
        std::optional<size_t> g;
        if (v.node == anchor_) g = group[v.result];
        if (auto it = group_of_node.find(v.node); it != group_of_node.end()) g = it->second;
        if (!g) continue;
        if (mine && *mine != *g) unite(*mine, *g);
        if (!mine) mine = g;
      }
      if (!mine) {
        fail("a node of the body is neither before nor after the product");
        return false;
      }
      group_of_node[n] = *mine;
    }
    for (size_t g = 0; g < count; ++g) {
      if (std::find(group.begin(), group.end(), g) == group.end()) continue;
      if (!read_segment(contract, g, group, group_of_node)) return false;
    }
    return true;
  }

  bool read_segment(const Node& contract, size_t g, const std::vector<size_t>& group,
                    const std::map<uint32_t, size_t>& group_of_node) {
    ProductForm::Segment segment;
    std::vector<uint32_t> nodes;
    for (const auto& [n, mine] : group_of_node)
      if (mine == g) nodes.push_back(n);
    std::vector<uint32_t> members;  // results of the product
    for (uint32_t r = 0; r < group.size(); ++r)
      if (group[r] == g) members.push_back(r);
    for (uint32_t r : members) segment.weights.push_back(weights_[r]);
    segment.columns = contract.types[members.front()].last().number();
    auto result_of = [&](ValueId v) {
      for (size_t o = 0; o < body_.outputs().size(); ++o)
        if (body_.outputs()[o].value == v) return static_cast<int>(o);
      return -1;
    };
    for (uint32_t r : members) segment.direct.push_back(result_of({anchor_, r}));
    if (nodes.empty()) {
      form_.segments.push_back(std::move(segment));
      return true;
    }
    std::vector<ValueId> results;
    for (uint32_t n : nodes)
      if (int o = result_of({n, 0}); o >= 0) {
        segment.results.push_back(o);
        results.push_back({n, 0});
      }
    segment.program = TileProgram::compile(body_, nodes, results);
    if (!segment.program) {
      fail("an operation after the product has no tile kernel");
      return false;
    }
    const Shape& shape = contract.types[members.front()].shape;
    for (size_t i = 0; i < segment.program->inputs().size(); ++i) {
      const ValueId v = segment.program->inputs()[i];
      int tile = -1;
      ProductForm::External external{-1, Spread::full};
      if (v.node == anchor_) {
        tile = static_cast<int>(std::find(members.begin(), members.end(), v.result) - members.begin());
      } else {
        const Shape& s = body_.type(v).shape;
        external.operand = operand(v);
        const bool scalar = s.empty() || (s.size() == 1 && s[0] == Dim(1));
        external.spread = scalar ? Spread::scalar : s == shape ? Spread::full : Spread::row;
        segment.program->set_scalar(i, scalar);
        if (external.operand < 0 && body_.node(v).op != &op::constant) {
          fail("an operand after the product is computed elsewhere");
          return false;
        }
        if (external.operand < 0) {
          fail("a constant stands inside the body");
          return false;
        }
      }
      segment.tile_of_input.push_back(tile);
      segment.externals.push_back(external);
    }
    form_.segments.push_back(std::move(segment));
    return true;
  }

  const Graph& body_;
  std::vector<int> operands_;
  std::string* why_;
  uint32_t anchor_ = UINT32_MAX;
  std::vector<int> weights_;
  std::vector<uint32_t> used_;
  ProductForm form_;
};

}  // namespace

std::optional<ProductForm> read_product(const Graph& graph, const Node& node, std::string* why) {
  if (node.op == &op::fused) {
    std::vector<int> operands(node.inputs.size());
    for (size_t i = 0; i < operands.size(); ++i) operands[i] = static_cast<int>(i);
    return FormReader(node.attrs.graph("body"), std::move(operands), why).read();
  }
  // A lone contract: the same thing with an empty prologue and epilogue.
  Builder body;
  std::vector<Value> inputs;
  std::vector<int> operands;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    inputs.push_back(body.input("in" + std::to_string(i), graph.type(node.inputs[i])));
    operands.push_back(static_cast<int>(i));
  }
  const std::vector<Value> results = body.add_all(op::contract, inputs, node.attrs);
  for (const Value& r : results) body.output("out", r);
  return FormReader(body.finish(), std::move(operands), why).read();
}

ProductFn product_function(const Kernels& kernels, Format x, const Type& weight) {
  const bool packed = weight.layout == Layout::interleave16;
  if (x == Format::q8_act && packed) {
    if (weight.format == Format::q8_0) return kernels.product_q8_0;
    if (weight.format == Format::q4_0) return kernels.product_q4_0;
  }
  if (x == Format::bf16 && weight.format == Format::bf16) return kernels.product_bf16_bf16;
  if (x == Format::f32) {
    if (weight.format == Format::f32) return kernels.product_f32_f32;
    if (weight.format == Format::bf16) return kernels.product_f32_bf16;
    if (weight.format == Format::f16) return kernels.product_f32_f16;
    if (is_quantized(weight.format) && !packed) return kernels.product_f32_f32;  // after decoding a panel
  }
  return nullptr;
}

}  // namespace braid::cpu
