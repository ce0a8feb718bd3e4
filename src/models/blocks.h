#pragma once
// What families share. A block takes the scope whose tensors and states it owns.

#include <optional>
#include <string>
#include <string_view>

#include "files/config.h"
#include "models/scope.h"
#include "models/step.h"

namespace braid {

// ---- inputs, embeddings and norms
/// An image or a window of features per sequence: the input NAME (sequences, size…) f32, of the size that the options
/// ask for, else of `size`. Throws UsageError when the first `fixed` dimensions are not those of `size`.
Value media(const Step& t, std::string name, std::vector<int64_t> size, size_t fixed);
/// Rows `ids` (…) of SCOPE.weight (count, width), in f32 → (…, width).
Value embedding(const Scope& s, Value ids, int64_t count, int64_t width);
/// With SCOPE.weight, over the last dimension.
Value rms_norm(const Scope& s, Value x, double epsilon);
/// With SCOPE.weight and SCOPE.bias, over the last dimension.
Value layer_norm(const Scope& s, Value x, double epsilon);

// ---- positions
/// Rotary positions of every kind that configs name: default, linear, llama3 (Llama 3.1's report), yarn
/// (arXiv:2309.00071).
class Rotary {
 public:
  /// Throws Error when head_dim is odd, or the parameters give frequencies that are not finite.
  Rotary(Builder& builder, const RopeConfig& config, int64_t head_dim);
  /// x (tokens, heads, head_dim).
  Value operator()(Value x, Value positions) const { return rope(x, positions, inverse_frequencies_, how_); }

 private:
  Value inverse_frequencies_;
  Rope how_;
};

// ---- attention
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

// ---- mixtures of experts
struct Mixture {
  int64_t experts, chosen;  ///< how many there are; how many each token takes
  bool renormalise;         ///< divide the chosen weights by their sum
  int64_t inner;            ///< width inside an expert
  std::string_view activation;
  std::string_view gate, up, down;  ///< tensors of an expert: SCOPE.experts.E.{gate,up,down}.weight
};
/// x (tokens, width) → (tokens, width). Only the chosen experts are computed: each token's row is copied once per
/// chosen expert, the copies sorted by expert, and three grouped products read the experts' weights in place.
Value mixture(const Scope& s, Value x, const Mixture& how);

// ---- outputs
/// The outputs PREFIX.0, PREFIX.1 … of an entry, when its options ask for them.
class HiddenStates {
 public:
  HiddenStates(const Step& t, std::string prefix) : step_(t), prefix_(std::move(prefix)) {}
  /// Reshaped when a shape is given.
  void add(Value x, const Shape& shape = {});

 private:
  const Step& step_;
  std::string prefix_;
  int64_t count_ = 0;
};
/// The element of each sequence that comes first: x (tokens, width) → (sequences, width).
Value first_of_each(const Step& t, Value x);
/// x (tokens, width) at the step's rows · SCOPE.weight (vocabulary, width)ᵀ → (rows, vocabulary).
Value token_logits(const Scope& s, const Step& t, Value x, int64_t vocabulary);

}  // namespace braid
