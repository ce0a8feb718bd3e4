#pragma once
// How the CPU reads a product node: `contract`, or `fused` around one.

#include <optional>
#include <string>
#include <vector>

#include "backend/cpu/step.h"
#include "backend/cpu/tile.h"

namespace braid::cpu {

/// The parts of a (fused) product, in terms of the node's operands and results.
struct ProductForm {
  struct Prologue {
    enum class Norm : uint8_t { none, rms, layer } norm = Norm::none;
    int weight = -1, bias = -1;  ///< operands of the step
    float epsilon = 0;
    bool encode = false;  ///< to `x_format`
  };
  struct External {
    int operand;  ///< of the step
    enum class Spread : uint8_t { full, row, scalar } spread;
  };
  /// Weights whose results are computed over the same columns together, and what follows on the tile.
  struct Segment {
    std::vector<int> weights;  ///< operands of the step
    std::vector<int> direct;   ///< without a program: the result of each weight
    std::optional<TileProgram> program;
    std::vector<int> tile_of_input;   ///< per input of the program: index into `weights`, or -1
    std::vector<External> externals;  ///< per input of the program (unused where tile_of_input ≥ 0)
    std::vector<int> results;         ///< per output of the program: result of the step
    int64_t columns = 0;              ///< N
  };
  int x = 0;                      ///< operand that enters (the prologue or the product)
  int offsets = -1;               ///< operand of a grouped product
  Format x_format = Format::f32;  ///< what the product multiplies
  int64_t k = 0;
  Prologue prologue;
  std::vector<Segment> segments;
  std::vector<int> experts;  ///< grouped: weight operands, one per group; segment 0 holds the first
};

/// The form, or why the node has none.
std::optional<ProductForm> read_product(const Graph& graph, const Node& node, std::string* why);

/// The function for one weight; null when the instruction set has none for these formats.
ProductFn product_function(const Kernels& kernels, Format x, const Type& weight);

}  // namespace braid::cpu
