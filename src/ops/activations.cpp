// The activations: composites of a few elementwise ops each.
#include <string>

#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

std::vector<Type> infer(Types operands, const Attrs&) {
  check_count(operands, 1);
  check_format(operands, 0, Format::f32);
  return {operands[0]};
}

template <Value (*Formula)(Builder&, Value)>
std::vector<Value> expand(Builder& b, const Node&, std::span<const Value> operands) {
  return {Formula(b, operands[0])};
}

Value sigmoid_of(Builder& b, Value x) { return b.scalar(1) / (exp(neg(x)) + 1.0); }

Value silu_of(Builder&, Value x) { return x * sigmoid(x); }

Value gelu_of(Builder&, Value x) { return x * 0.5 * (erf(x * 0.70710678118654752) + 1.0); }

Value gelu_tanh_of(Builder&, Value x) {
  const double sqrt_2_over_pi = 0.79788456080286536;
  return x * 0.5 * (tanh((x + x * x * x * 0.044715) * sqrt_2_over_pi) + 1.0);
}

Value relu_of(Builder& b, Value x) { return maximum(x, b.scalar(0)); }

/// log(1 + e) loses the digits of a small e; with u = 1 + e as rounded, log(u) · e / (u - 1) has them all.
Value softplus_of(Builder& b, Value x) {
  Value e = exp(x);
  Value u = e + 1.0;
  Value log1p = select(equal(u, b.scalar(1)), e, log(u) * (e / (u + -1.0)));
  return select(less(b.scalar(20), x), x, log1p);
}

}  // namespace

const OpInfo op::sigmoid{.name = "sigmoid", .kind = Kind::elementwise, .infer = infer, .expand = expand<sigmoid_of>};
const OpInfo op::silu{.name = "silu", .kind = Kind::elementwise, .infer = infer, .expand = expand<silu_of>};
const OpInfo op::gelu{.name = "gelu", .kind = Kind::elementwise, .infer = infer, .expand = expand<gelu_of>};
const OpInfo op::gelu_tanh{
    .name = "gelu_tanh", .kind = Kind::elementwise, .infer = infer, .expand = expand<gelu_tanh_of>};
const OpInfo op::relu{.name = "relu", .kind = Kind::elementwise, .infer = infer, .expand = expand<relu_of>};
const OpInfo op::softplus{.name = "softplus", .kind = Kind::elementwise, .infer = infer, .expand = expand<softplus_of>};

Value sigmoid(Value x) { return append(op::sigmoid, {x}); }
Value silu(Value x) { return append(op::silu, {x}); }
Value gelu(Value x) { return append(op::gelu, {x}); }
Value gelu_tanh(Value x) { return append(op::gelu_tanh, {x}); }
Value relu(Value x) { return append(op::relu, {x}); }
Value softplus(Value x) { return append(op::softplus, {x}); }

Value activation(std::string_view name, Value x) {
  struct Entry {
    std::string_view name;
    Value (*make)(Value);
  };
  // The names that configs use (transformers' ACT2FN).
  constexpr Entry kEntries[] = {
      {"silu", silu},           {"swish", silu},
      {"gelu", gelu},           {"gelu_python", gelu},
      {"gelu_new", gelu_tanh},  {"gelu_pytorch_tanh", gelu_tanh},
      {"gelu_fast", gelu_tanh}, {"gelu_accurate", gelu_tanh},
      {"relu", relu},           {"relu2", [](Value v) { return relu(v) * relu(v); }},
      {"sigmoid", sigmoid},     {"softplus", softplus},
      {"tanh", tanh},           {"linear", [](Value v) { return v; }},
  };
  for (const Entry& entry : kEntries)
    if (entry.name == name) return entry.make(x);
  std::string known;
  for (const Entry& entry : kEntries) known += (known.empty() ? "" : ", ") + std::string(entry.name);
  throw Error("unknown activation \"" + std::string(name) + "\"", {}, "known are " + known);
}

}  // namespace braid
