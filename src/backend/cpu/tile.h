#pragma once
// A tile program: elementwise nodes run over pieces of rows that stay in the L1 cache. Epilogues of products and chains
// of elementwise operations are the same thing.

#include <optional>
#include <span>
#include <vector>

#include "backend/cpu/kernels.h"
#include "ir/graph.h"

namespace braid::cpu {

class TileProgram {
 public:
  static constexpr int64_t kPiece = 1024;  ///< floats of a row that one call takes at most

  /// Compiles nodes (tile ops, in order) of a graph. Values that none of them makes become inputs, in order of first
  /// use. Nothing when a node has no kernel.
  static std::optional<TileProgram> compile(const Graph& graph, std::span<const uint32_t> nodes,
                                            std::span<const ValueId> results);
  /// Whether `compile` knows this op.
  static bool knows(const OpInfo* op);

  const std::vector<ValueId>& inputs() const { return inputs_; }
  /// Floats of scratch for pieces of n floats.
  int64_t scratch_floats(int64_t n) const { return static_cast<int64_t>(registers_) * round_up(n); }

  /// Runs over n ≤ kPiece floats. inputs[i] points at the piece of inputs()[i], or at one float where scalar[i];
  /// outputs[i] at the piece of the i-th result. An output may be the same memory as an input.
  void run(const Kernels& kernels, const float* const* inputs, float* const* outputs, float* scratch, int64_t n) const;
  void set_scalar(size_t input, bool is_scalar) { scalar_[input] = is_scalar; }

 private:
  static constexpr int kMaxValues = 48;
  static int64_t round_up(int64_t n) { return (n + 15) / 16 * 16; }
  struct Instruction {
    bool binary;
    uint8_t code;
    int16_t a, b;    // values: inputs first, then one per instruction
    int16_t output;  // index of the result it also is; -1: a register only
    int16_t reg;     // -1: none (written straight to the output)
  };
  std::vector<ValueId> inputs_;
  std::vector<bool> scalar_;
  std::vector<Instruction> code_;
  int registers_ = 0;
};

}  // namespace braid::cpu
