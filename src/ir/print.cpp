#include <cstdio>
#include <functional>
#include <map>

#include "ir/graph.h"
#include "ir/op.h"

namespace braid {
namespace {

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

/// FNV-1a over a constant's bytes: constants of equal content print alike.
std::string digest(const Tensor& tensor) {
  uint64_t hash = 1469598103934665603ull;
  for (uint64_t i = 0; i < tensor.byte_size(); ++i)
    hash = (hash ^ static_cast<uint8_t>(tensor.bytes()[i])) * 1099511628211ull;
  char text[24];
  std::snprintf(text, sizeof text, "#%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::string attr_text(const AttrValue& value, const std::string& indent);

std::string attrs_text(const Attrs& attrs, const std::string& indent) {
  std::string text;
  for (const auto& [key, value] : attrs.entries()) {
    if (!text.empty()) text += ", ";
    text += key + "=" + attr_text(value, indent);
  }
  return text.empty() ? text : " {" + text + "}";
}

std::string value_text(ValueId v, const Node& producer) {
  std::string text = "%" + std::to_string(v.node);
  if (producer.types.size() > 1) text += "." + std::to_string(v.result);
  return text;
}

std::string body_text(const Graph& graph, const std::string& indent) {
  std::string text;
  for (uint32_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.node(n);
    text += indent + "%" + std::to_string(n) + " = " + std::string(node.op->name) + "(";
    for (size_t i = 0; i < node.inputs.size(); ++i)
      text += (i ? ", " : "") + value_text(node.inputs[i], graph.node(node.inputs[i]));
    text += ")" + attrs_text(node.attrs, indent + "  ") + " :";
    for (size_t i = 0; i < node.types.size(); ++i) text += (i ? ", " : " ") + to_string(node.types[i]);
    if (!node.origin.scopes.empty()) {
      text += "  # ";
      for (size_t i = 0; i < node.origin.scopes.size(); ++i) text += (i ? " + " : "") + node.origin.scopes[i];
    }
    text += "\n";
  }
  for (const auto& s : graph.state_results())
    text += indent + "state %" + std::to_string(s.state) + " <- " + value_text(s.value, graph.node(s.value)) + "\n";
  for (const auto& o : graph.outputs())
    text += indent + "output " + o.name + " = " + value_text(o.value, graph.node(o.value)) + "\n";
  return text;
}

std::string attr_text(const AttrValue& value, const std::string& indent) {
  struct Visitor {
    const std::string& indent;
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return number(v); }
    std::string operator()(const std::string& v) const { return "\"" + v + "\""; }
    std::string operator()(const std::vector<int64_t>& v) const {
      std::string text = "[";
      for (size_t i = 0; i < v.size(); ++i) text += (i ? ", " : "") + std::to_string(v[i]);
      return text + "]";
    }
    std::string operator()(Format v) const { return std::string(info(v).name); }
    std::string operator()(const std::shared_ptr<const Graph>& v) const {
      return "{\n" + body_text(*v, indent + "  ") + indent + "}";
    }
    std::string operator()(const Tensor& v) const {
      if (v.elements() == 1 && v.format == Format::f32) return number(*v.data<float>());
      return to_string(v.type()) + digest(v);
    }
  };
  return std::visit(Visitor{indent}, value);
}

}  // namespace

std::string print(const Graph& graph) { return body_text(graph, ""); }

std::string print_expression(const Graph& graph, ValueId value) {
  const Node& node = graph.node(value);
  std::string text = std::string(node.op->name) + "(";
  for (size_t i = 0; i < node.inputs.size(); ++i) text += (i ? ", " : "") + print_expression(graph, node.inputs[i]);
  text += ")" + attrs_text(node.attrs, "");
  if (node.types.size() > 1) text += "." + std::to_string(value.result);
  return text;
}

}  // namespace braid
