#pragma once
// Attention over what a step brings and what its states hold.

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "files/config.h"
#include "models/blocks/norm.h"
#include "models/blocks/rotary.h"
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

struct QueriesKeysValues {
  Value q;     ///< (tokens, heads, head_dim)
  Value k, v;  ///< (tokens, kv_heads, head_dim)
};
/// Of the tensors SCOPE.q_proj, k_proj and v_proj. x (tokens, width).
QueriesKeysValues queries_keys_values(const Scope& a, Value x, const HeadConfig& heads, bool bias);
/// Of one tensor, SCOPE.NAME, whose rows are those of all queries, then of all keys, then of all values. Its result is
/// cut, not the weight: nothing of the checkpoint is copied.
QueriesKeysValues fused_queries_keys_values(const Scope& a, std::string_view name, Value x, const HeadConfig& heads,
                                            bool bias);
/// Of one tensor whose rows go by key-value head: its queries, its key, its value (GPT-NeoX, BLOOM, Falcon).
QueriesKeysValues grouped_queries_keys_values(const Scope& a, std::string_view name, Value x, const HeadConfig& heads,
                                              bool bias);

/// A decoder's self-attention as Llama writes it, and what its kin change.
struct SelfAttention {
  HeadConfig heads;
  Attend how;
  const Rotary* rotary = nullptr;  ///< null: no positions at all (NoPE)
  Norm head_norm = {};             ///< of each head's queries (SCOPE.q_norm) and keys (SCOPE.k_norm), before rotation
  double bound =
      0;  ///< of the elements of queries, keys and values ("clip_qkv" of OLMo and MPT), after `head_norm`; 0: none
  bool bias = false;  ///< of the three projections
  bool output_bias = false;
  std::string_view output = "o_proj";
};
/// x (tokens, width) → (tokens, width).
Value self_attention_block(const Scope& a, const Step& t, Value x, const SelfAttention& how);
/// What follows the projections: norms of heads, rotation, attention, output projection.
Value attend_and_project(const Scope& a, const Step& t, QueriesKeysValues x, const SelfAttention& how);
/// The window of each layer, 0 where there is none: `sliding_window` in the layers that `layer_types` calls
/// "sliding_attention", or, where the config has no such list, in those for which `slides(i)`. Throws Error naming a
/// type of layer that is neither this nor "full_attention", and a sliding layer without a window.
/// A `window` of its own is for configs that have another key.
std::vector<int64_t> layer_windows(const Config& c, int64_t layers, const std::function<bool(int64_t)>& slides,
                                   std::optional<int64_t> window = {});
/// ALiBi's slopes (arXiv:2108.12409) times `scale` → (heads) f32: 2^(-bias_max·i/n) for n heads, n a power of two; for
/// other counts those of the next lower power, then every second of twice as many.
Value alibi_slopes(Builder& b, int64_t heads, double scale = 1, double bias_max = 8);

/// The keys and values that an encoder leaves for a cross-attention, one row per source slot: the states SCOPE.k and
/// SCOPE.v, of lifetime source.
struct SourceStates {
  Value k;  ///< (source_slots, heads, head_dim, length)
  Value v;  ///< (source_slots, heads, length, head_dim)
};
struct SourceShape {
  int64_t length, heads, head_dim;  ///< length: of every source, or of the longest
};
SourceStates source_states(const Scope& s, const Step& t, const SourceShape& shape);
/// An encoder whose sources all have the states' length leaves k and v (sequences * length, heads * head_dim) in the
/// slots of the step.
void write_source(const Step& t, const SourceStates& states, Value k, Value v);
/// An encoder of tokens leaves k and v (tokens, heads * head_dim): a sequence's first rows of its slot. What lies
/// behind them is never attended to, since the slot's length is kept too: write_source_lengths.
void write_ragged_source(const Step& t, const SourceStates& states, Value k, Value v);
/// Keeps how many tokens each sequence of the step has in its slot: the state source.length. Once per "encode".
void write_source_lengths(const Step& t);
/// The lengths that were kept, of the step's sequences (sequences) i32: Attend::lengths. Once per "decode".
Value source_lengths(const Step& t);
/// q (tokens, heads, head_dim) over what an encoder left → (tokens, heads * head_dim).
Value cross_attention(const Step& t, const SourceStates& states, Value q, const Attend& how);

}  // namespace braid
