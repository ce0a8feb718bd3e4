#include "backend/cpu/tile.h"

#include <algorithm>
#include <map>

#include "ops/ops.h"

namespace braid::cpu {
namespace {

struct Code {
  const OpInfo* op;
  bool binary;
  uint8_t code;
};

constexpr auto u(Unary code) { return static_cast<uint8_t>(code); }
constexpr auto b(Binary code) { return static_cast<uint8_t>(code); }

const Code* find_code(const OpInfo* info) {
  static const Code kCodes[] = {
      {&op::neg, false, u(Unary::neg)},
      {&op::exp, false, u(Unary::exp)},
      {&op::log, false, u(Unary::log)},
      {&op::sqrt, false, u(Unary::sqrt)},
      {&op::rsqrt, false, u(Unary::rsqrt)},
      {&op::tanh, false, u(Unary::tanh)},
      {&op::erf, false, u(Unary::erf)},
      {&op::sin, false, u(Unary::sin)},
      {&op::cos, false, u(Unary::cos)},
      {&op::sigmoid, false, u(Unary::sigmoid)},
      {&op::silu, false, u(Unary::silu)},
      {&op::gelu, false, u(Unary::gelu)},
      {&op::gelu_tanh, false, u(Unary::gelu_tanh)},
      {&op::relu, false, u(Unary::relu)},
      {&op::softplus, false, u(Unary::softplus)},
      {&op::add, true, b(Binary::add)},
      {&op::sub, true, b(Binary::sub)},
      {&op::mul, true, b(Binary::mul)},
      {&op::div, true, b(Binary::div)},
      {&op::maximum, true, b(Binary::maximum)},
      {&op::minimum, true, b(Binary::minimum)},
  };
  for (const Code& code : kCodes)
    if (code.op == info) return &code;
  return nullptr;
}

bool commutes(uint8_t code) { return code != b(Binary::sub) && code != b(Binary::div); }

}  // namespace

bool TileProgram::knows(const OpInfo* op) { return find_code(op) != nullptr; }

std::optional<TileProgram> TileProgram::compile(const Graph& graph, std::span<const uint32_t> nodes,
                                                std::span<const ValueId> results) {
  TileProgram program;
  std::map<ValueId, int16_t> index;
  auto made_here = [&](ValueId v) { return std::find(nodes.begin(), nodes.end(), v.node) != nodes.end(); };
  for (uint32_t n : nodes)
    for (ValueId v : graph.node(n).inputs)
      if (!made_here(v) && index.try_emplace(v, static_cast<int16_t>(program.inputs_.size())).second)
        program.inputs_.push_back(v);
  program.scalar_.assign(program.inputs_.size(), false);
  for (uint32_t n : nodes) {
    const Node& node = graph.node(n);
    const Code* code = find_code(node.op);
    if (code == nullptr) return std::nullopt;
    Instruction instruction{
        code->binary, code->code, index.at(node.inputs[0]), code->binary ? index.at(node.inputs[1]) : int16_t{-1},
        -1,           -1};
    for (size_t r = 0; r < results.size(); ++r)
      if (results[r] == ValueId{n, 0}) instruction.output = static_cast<int16_t>(r);
    if (instruction.output < 0) instruction.reg = static_cast<int16_t>(program.registers_++);
    index[{n, 0}] = static_cast<int16_t>(program.inputs_.size() + program.code_.size());
    program.code_.push_back(instruction);
  }
  program.registers_ += 1;  // for a scalar spread over a piece
  if (program.inputs_.size() + program.code_.size() > kMaxValues) return std::nullopt;
  return program;
}

void TileProgram::run(const Kernels& kernels, const float* const* inputs, float* const* outputs, float* scratch,
                      int64_t n) const {
  const float* values[kMaxValues];
  const auto count = static_cast<int16_t>(inputs_.size());
  for (int16_t i = 0; i < count; ++i) values[i] = inputs[i];
  const int64_t stride = round_up(n);
  auto is_scalar = [&](int16_t v) { return v < count && scalar_[static_cast<size_t>(v)]; };
  float* const spread = scratch + (registers_ - 1) * stride;
  auto whole = [&](int16_t v) {
    if (!is_scalar(v)) return values[v];
    std::fill_n(spread, n, *values[v]);
    return static_cast<const float*>(spread);
  };
  for (size_t i = 0; i < code_.size(); ++i) {
    const Instruction& at = code_[i];
    float* to = at.output >= 0 ? outputs[at.output] : scratch + at.reg * stride;
    if (!at.binary) {
      kernels.unary[at.code](whole(at.a), to, n);
    } else if (is_scalar(at.b) && !is_scalar(at.a)) {
      kernels.binary_scalar[at.code](values[at.a], *values[at.b], to, n);
    } else if (is_scalar(at.a) && !is_scalar(at.b) && commutes(at.code)) {
      kernels.binary_scalar[at.code](values[at.b], *values[at.a], to, n);
    } else if (is_scalar(at.b)) {
      kernels.binary_scalar[at.code](whole(at.a), *values[at.b], to, n);
    } else {
      kernels.binary[at.code](whole(at.a), values[at.b], to, n);
    }
    values[static_cast<size_t>(count) + i] = to;
  }
}

}  // namespace braid::cpu
