#pragma once
// What a step must read and compute, counted from graphs: the bounds that measured speeds are compared with.

#include <cstdint>

#include "ir/graph.h"

namespace braid {

/// Bytes that one decode step must read.
struct Traffic {
  double weights =
      0;  ///< every parameter once, in its stored form; of a mixture the share of the experts that are used
  double embeddings = 0;  ///< rows of tables
  double cache = 0;       ///< keys, values and recurrent states of the sequences
  double total() const { return weights + embeddings + cache; }
};

/// One token of each of `sequences` sequences that have `context` tokens. `graph`: as it runs, after all passes.
struct DecodeSize {
  double sequences = 1;
  double context = 0;
  int64_t page_size = 1;
};
Traffic decode_traffic(const Graph& graph, const DecodeSize& size);

/// Operations of the products of a step (2 per multiply-add), by the instruction that their operands ask for. Attention
/// is left out here.
struct Operations {
  double f32 = 0, bf16 = 0, int8 = 0;
  double total() const { return f32 + bf16 + int8; }
};
Operations product_operations(const Graph& graph, const SymbolValues& sizes);

/// Operations of causal attention over whole sequences of `tokens` tokens, for one sequence: row i meets i + 1 keys, or
/// those of its window.
/// `graph` has its `attend` nodes (as the family wrote it).
double attention_operations(const Graph& graph, int64_t tokens);

}  // namespace braid
