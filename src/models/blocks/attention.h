#pragma once
// Attention over what a step brings and what its states hold.

#include "models/scope.h"
#include "models/step.h"

namespace braid {

/// (tokens, heads * head_dim) → (tokens, heads, head_dim).
Value split_heads(Value x, int64_t head_dim);
/// And back.
Value merge_heads(Value x);
/// A decoder's: q (tokens, heads, head_dim), k and v (tokens, kv_heads, head_dim) → (tokens, heads * head_dim). When
/// the entry is stateful, keys and values of earlier steps are attended to as well: they lie in the states SCOPE.k and
/// SCOPE.v, of lifetime token. (An encoder calls `attend`.)
Value self_attention(const Scope& s, const Step& t, Value q, Value k, Value v, const Attend& how);
/// The keys and values of a source of fixed length, one row per source slot: the states SCOPE.k and SCOPE.v, of
/// lifetime source.
struct SourceStates {
  Value k;  ///< (source_slots, heads, head_dim, length)
  Value v;  ///< (source_slots, heads, length, head_dim)
};
struct SourceShape {
  int64_t length, heads, head_dim;
};
SourceStates source_states(const Scope& s, const Step& t, const SourceShape& shape);
/// An encoder leaves k and v (sequences * length, heads * head_dim) in the slots of the step.
void write_source(const Step& t, const SourceStates& states, Value k, Value v);
/// q (tokens, heads, head_dim) over what an encoder left → (tokens, heads * head_dim).
Value cross_attention(const Step& t, const SourceStates& states, Value q, const Attend& how);

}  // namespace braid
