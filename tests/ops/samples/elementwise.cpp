#include "ops/samples/samples.h"

namespace braid::samples {
namespace {

const Dim kTokens(Symbol::tokens);

/// Shapes on both sides of a vector and of a tile: 1, odd, a token dimension.
const std::vector<Shape> kShapes = {{1}, {7, 33}, {kTokens, 65}, {3, 1, 130}};
constexpr int64_t kTokenCount = 5;

SymbolValues token_sizes() {
  SymbolValues sizes;
  sizes[Symbol::tokens] = kTokenCount;
  return sizes;
}

/// Functions that no instruction computes: allowed four units in the last place, 8 roundings in a row at worst, whose
/// square counts (see tolerance()).
constexpr double kFunction = 64;

}  // namespace

std::vector<Sample> elementwise() {
  std::vector<Sample> samples;
  struct Unary {
    const OpInfo& op;
    Value (*make)(Value);
    float low, high;
    double roundings;
  };
  const Unary kUnary[] = {
      {op::neg, neg, -3, 3, 1},         {op::exp, exp, -20, 20, kFunction}, {op::log, log, 0.01f, 50, kFunction},
      {op::sqrt, sqrt, 0, 9, 1},        {op::rsqrt, rsqrt, 0.01f, 9, 4},    {op::tanh, tanh, -6, 6, kFunction},
      {op::erf, erf, -4, 4, kFunction}, {op::sin, sin, -30, 30, kFunction}, {op::cos, cos, -30, 30, kFunction},
  };
  for (const Unary& u : kUnary)
    for (const Shape& shape : kShapes) {
      Maker m(std::string(u.op.name) + " " + to_string(Type{shape, Format::f32, {}}), u.op, token_sizes());
      samples.push_back(m.finish({u.make(m.uniform(shape, u.low, u.high))}, u.roundings));
    }

  struct Binary {
    const OpInfo& op;
    Value (*make)(Value, Value);
    bool number;
  };
  const Binary kBinary[] = {{op::add, add, true},    {op::sub, sub, true},         {op::mul, mul, true},
                            {op::div, div, true},    {op::maximum, maximum, true}, {op::minimum, minimum, true},
                            {op::less, less, false}, {op::equal, equal, false}};
  const std::pair<Shape, Shape> kPairs[] = {
      {{1}, {1}}, {{7, 33}, {7, 33}}, {{kTokens, 65}, {65}}, {{kTokens, 1}, {kTokens, 65}}, {{3, 1, 5}, {4, 1}}};
  for (const Binary& op : kBinary)
    for (const auto& [a, b] : kPairs) {
      const std::string shapes = to_string(Type{a, Format::f32, {}}) + " " + to_string(Type{b, Format::f32, {}});
      Maker m(std::string(op.op.name) + " " + shapes, op.op, token_sizes());
      samples.push_back(m.finish({op.make(m.input(a), m.input(b))}, 1));
      Maker i(std::string(op.op.name) + " i32 " + shapes, op.op, token_sizes());
      samples.push_back(i.finish({op.make(i.indices(a, -9, 9), i.indices(b, 1, 9))}, 1));
    }
  {
    Maker m("select broadcasts its condition", op::select, token_sizes());
    Value x = m.input({kTokens, 33});
    samples.push_back(m.finish({select(less(m.input({kTokens, 1}), m.builder().scalar(0)), x, neg(x))}, 1));
  }
  for (Format format : {Format::f16, Format::bf16, Format::i32, Format::f64, Format::i8}) {
    Maker m("cast to " + std::string(info(format).name), op::cast, token_sizes());
    samples.push_back(m.finish({cast(m.uniform({kTokens, 33}, -100, 100), format)}, 1));
  }
  return samples;
}

std::vector<Sample> reductions() {
  std::vector<Sample> samples;
  for (int axis : {0, 1, 2})
    for (bool keep : {false, true}) {
      const std::string how = " axis " + std::to_string(axis) + (keep ? " keep" : "");
      Maker sum("reduce_sum" + how, op::reduce_sum, token_sizes());
      samples.push_back(sum.finish({reduce_sum(sum.input({kTokens, 9, 33}), axis, keep)}, 33));
      Maker max("reduce_max" + how, op::reduce_max, token_sizes());
      samples.push_back(max.finish({reduce_max(max.input({kTokens, 9, 33}), axis, keep)}, 1));
    }
  for (const char* kind : {"max", "sum"}) {
    Maker plane(std::string("reduce_window plane ") + kind, op::reduce_window);
    samples.push_back(plane.finish(
        {reduce_window(plane.input({2, 3, 9, 7}), kind, {.size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}})}, 9));
    Maker line(std::string("reduce_window line ") + kind, op::reduce_window);
    samples.push_back(
        line.finish({reduce_window(line.input({2, 17}), kind, {.size = {4}, .stride = {1}, .padding = {0}})}, 4));
  }
  for (auto [n, k] : {std::pair<int64_t, int64_t>{1, 1}, {33, 5}, {8, 8}}) {
    Maker m("top_k " + std::to_string(k) + " of " + std::to_string(n), op::top_k, token_sizes());
    TopK best = top_k(m.input({kTokens, n}), k);
    samples.push_back(m.finish({best.values, best.indices}, 1));
  }
  {
    Maker m("top_k of equal values", op::top_k, token_sizes());
    TopK best = top_k(cast(m.indices({kTokens, 40}, 0, 3), Format::f32), 7);
    samples.push_back(m.finish({best.values, best.indices}, 1));
  }
  return samples;
}

std::vector<Sample> composites() {
  std::vector<Sample> samples;
  struct Activation {
    const OpInfo& op;
    Value (*make)(Value);
  };
  const Activation kActivations[] = {{op::sigmoid, sigmoid},     {op::silu, silu}, {op::gelu, gelu},
                                     {op::gelu_tanh, gelu_tanh}, {op::relu, relu}, {op::softplus, softplus}};
  for (const Activation& a : kActivations)
    for (const Shape& shape : kShapes) {
      Maker m(std::string(a.op.name) + " " + to_string(Type{shape, Format::f32, {}}), a.op, token_sizes());
      samples.push_back(m.finish({a.make(m.uniform(shape, -25, 25))}, 2 * kFunction));
    }
  for (int64_t n : {1, 33, 257}) {
    const std::string size = " " + std::to_string(n);
    Maker soft("softmax" + size, op::softmax, token_sizes());
    samples.push_back(soft.finish({softmax(soft.input({kTokens, n}))}, kFunction + static_cast<double>(n)));
    for (Format format : {Format::f32, Format::bf16}) {
      const std::string of = size + " " + std::string(info(format).name);
      Maker rms("rms_norm" + of, op::rms_norm, token_sizes());
      samples.push_back(
          rms.finish({rms_norm(rms.input({kTokens, n}), rms.weight({n}, format), 1e-6)}, static_cast<double>(n) + 4));
      Maker layer("layer_norm" + of, op::layer_norm, token_sizes());
      Value x = layer.input({kTokens, n});
      Value y = layer_norm(x, layer.weight({n}, format), layer.weight({n}, format), 1e-5);
      samples.push_back(layer.finish({y}, 2 * static_cast<double>(n) + 6));
    }
  }
  {
    Maker m("layer_norm without bias", op::layer_norm, token_sizes());
    samples.push_back(m.finish({layer_norm(m.input({kTokens, 33}), m.weight({33}), {}, 1e-5)}, 72));
  }
  for (auto [head_dim, rotary] : {std::pair<int64_t, int64_t>{2, 2}, {64, 64}, {80, 32}})
    for (bool interleaved : {false, true}) {
      Maker m("rope " + std::to_string(rotary) + " of " + std::to_string(head_dim) + (interleaved ? " in pairs" : ""),
              op::rope, token_sizes());
      Value x = m.input({kTokens, 3, head_dim});
      Value positions = m.indices({kTokens}, 0, 300);
      Value y = rope(x, positions, m.uniform({rotary / 2}, 0.001f, 1),
                     {.rotary_dim = rotary, .scale = 1.25, .interleaved = interleaved});
      samples.push_back(m.finish({y}, kFunction));
    }
  using Scores = Routing::Scores;
  const std::pair<const char*, Routing> routings[] = {
      {"", {.chosen = 2}},
      {" renormalised", {.chosen = 2, .renormalise = true}},
      {" of all", {.chosen = 8}},
      {" sigmoid", {.chosen = 3, .renormalise = true, .scores = Scores::sigmoid, .scale = 2.5}},
      {" groups", {.chosen = 3, .groups = 4, .kept_groups = 2, .group_best = 1}},
      {" pairs of groups",
       {.chosen = 2, .scores = Scores::sigmoid, .groups = 2, .kept_groups = 1, .group_best = 2, .scale = 0.5}},
  };
  for (const auto& [name, routing] : routings)
    for (bool bias : {false, true}) {
      Maker m("route" + std::string(name) + (bias ? " with bias" : ""), op::route, token_sizes());
      const Value logits = m.input({kTokens, 8});
      Routed routed = route(logits, bias ? m.input({8}) : Value{}, routing);
      samples.push_back(m.finish({routed.experts, routed.weights}, kFunction + 16));
    }
  return samples;
}

}  // namespace braid::samples
