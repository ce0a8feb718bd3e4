#pragma once
// The ops as functions on Values: what model families, expansions and rules are written with. Each function appends one
// node (or says below what it appends). Shapes are given as (dim, dim …); "…" is any number of leading dimensions.
//
// Ragged batches: the tokens of a step lie one after another, sequence by sequence. `span_start` (sequences + 1) i32
// holds where each sequence's tokens begin; its last entry is the number of tokens.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/builder.h"

namespace braid {

namespace op {
#define OP(name) extern const OpInfo name;
#include "ops/list.inc"
#undef OP
}  // namespace op

/// All ops, leaves included, in the order of ops/list.inc.
std::span<const OpInfo* const> op_table();
/// Null for a name that no op has.
const OpInfo* find_op(std::string_view name);

// ---- elementwise. Operands broadcast as in numpy (aligned at the last dimension; a dimension is equal, or the number
// 1, or absent). Both operands have the same format: f32, or i32 for add, sub, mul, div (floor), maximum, minimum,
// less, equal.
Value add(Value a, Value b);
Value sub(Value a, Value b);
Value mul(Value a, Value b);
Value div(Value a, Value b);
Value maximum(Value a, Value b);
Value minimum(Value a, Value b);
Value neg(Value x);
Value exp(Value x);
Value log(Value x);
Value sqrt(Value x);
Value rsqrt(Value x);  ///< 1 / sqrt(x)
Value tanh(Value x);
Value erf(Value x);
Value sin(Value x);
Value cos(Value x);
Value less(Value a, Value b);   ///< boolean
Value equal(Value a, Value b);  ///< boolean
Value select(Value condition, Value yes, Value no);
Value cast(Value x, Format to);  ///< between unquantised formats (round to nearest even; floats to integers truncate)

inline Value operator+(Value a, Value b) { return add(a, b); }
inline Value operator-(Value a, Value b) { return sub(a, b); }
inline Value operator*(Value a, Value b) { return mul(a, b); }
inline Value operator/(Value a, Value b) { return div(a, b); }
Value operator*(Value a, double b);  ///< with a scalar constant of a's format (appends constant + mul)
Value operator+(Value a, double b);

// ---- reduce (f32)
Value reduce_sum(Value x, int axis, bool keep = false);  ///< axis may be negative; `keep` leaves a 1
Value reduce_max(Value x, int axis, bool keep = false);
Value mean(Value x, int axis, bool keep = false);  ///< appends reduce_sum + mul; the axis must be a number
struct Window {
  std::vector<int64_t> size, stride, padding;  ///< one per spatial dimension; padding on both sides
};
/// Over the last size.size() dimensions; "max" (padding counts as -inf) or "sum" (padding counts as 0).
Value reduce_window(Value x, std::string_view kind, const Window& window);
struct TopK {
  Value values, indices;  ///< (…, k) f32 and i32; equal values: the lower index first
};
TopK top_k(Value x, int64_t k);  ///< over the last dimension

// ---- contract
/// x (…, M, K) · wᵀ with w (N, K) shared by all leading dimensions, or w (…, N, K) with the same leading dimensions →
/// (…, M, N) f32. x is f32, bf16, f16 or q8_act; w is any format with a weight class (f32, bf16, f16, q8_0, q4_0);
/// products are accumulated in f32.
Value contract(Value x, Value w);
/// One product of x with several weights (N_i, K), which may differ in format: the results in order.
std::vector<Value> contract_all(Value x, std::span<const Value> weights);
/// The grouped product: row r of x (R, K) is multiplied with the weight e for which offsets[e] <= r < offsets[e + 1];
/// offsets (E + 1) i32, E weights (N, K), read in place → (R, N).
Value contract_grouped(Value x, Value offsets, std::span<const Value> weights);
struct Conv {
  std::vector<int64_t> stride, padding;  ///< one per spatial dimension (1 or 2 of them); padding on both sides
  int64_t groups = 1;
};
/// x (B, C, spatial…), w (O, C / groups, kernel…) → (B, O, spatial'…). Add a bias with add_channels.
Value conv(Value x, Value w, const Conv& how);
/// x (B, C, spatial…) + bias (C) (appends reshape + add).
Value add_channels(Value x, Value bias);
/// x · wᵀ + bias (bias may be absent).
Value linear(Value x, Value w, Value bias);

// ---- move
Value reshape(Value x, Shape shape);
Value transpose(Value x, std::vector<int64_t> order);  ///< result dimension i is x's dimension order[i]
/// [start, stop) of one dimension; the dimension must be a number.
Value slice(Value x, int axis, int64_t start, int64_t stop);
Value concat(std::span<const Value> parts, int axis);
Value broadcast(Value x, Shape shape);
Value iota(Builder& b, Dim count);  ///< 0 … count - 1, i32 (count)
/// Rows of a table: the table's first `leading` dimensions form one index space (row-major); indices i32 (…) →
/// (indices' shape…, the table's other dimensions…). A quantised table gives f32 rows; others keep their format.
/// An index outside the table is an error of the step that is caught before it runs; kernels clamp.
Value gather(Value table, Value indices, int leading = 1);
/// A new version of `state` in which the rows `indices` are `values` (values: indices' shape…, the other dimensions…),
/// converted to the state's format. Indices are distinct. The state's first `leading` dimensions form the index space.
Value scatter(Value state, Value values, Value indices, int leading = 1);
/// For each token the sequence it belongs to: span_start (sequences + 1) → (count) i32; count is span_start's last
/// entry.
Value segment_of(Value span_start, Dim count = Symbol::tokens);
struct Group {
  Value order;    ///< (R) i32: the rows of the input, sorted stably by group
  Value offsets;  ///< (groups + 1) i32: where each group begins in `order`
  Value inverse;  ///< (R) i32: the place of each row in `order`
};
/// group_of (R) i32 in [0, groups).
Group group(Value group_of, int64_t groups);
/// To a block format (q8_0, q4_0 for weights; q8_act for activations), a row at a time along the last dimension.
Value quantize(Value x, Format to);
/// Weights (N, K) into a backend's layout.
Value pack(Value w, Layout layout);

// ---- region
struct ScanOperands {
  std::vector<Value> pools;  ///< states (slots, carry…), or empty: then carries start from zeros and end with the step
  Value slots;               ///< (sequences) i32: the row of the pools per sequence; absent without pools
  Value context;  ///< (sequences) i32: tokens before this step; 0 starts the carries from zeros; absent without pools
  Value span_start;           ///< (sequences + 1) i32
  std::vector<Value> rows;    ///< (tokens, row…): the body sees one row at a time
  std::vector<Value> shared;  ///< the same for every row
};
struct ScanResults {
  std::vector<Value> rows;   ///< (tokens, …) for each row output of the body
  std::vector<Value> pools;  ///< new versions, as many as were given
};
/// Per sequence, row after row: (carry'…, row output…) = body(carry…, row…, shared…). The body's first `carries` inputs
/// and outputs are the carries.
ScanResults scan(Builder& b, const ScanOperands& operands, std::shared_ptr<const Graph> body, int64_t carries);
/// A node that stands for `body` (its inputs are the operands in order): an anchor (a contract) with what runs before
/// and after it, tile by tile. Built by fusion rules only; `expand` inlines the body.
std::vector<Value> fused(Builder& b, std::vector<Value> operands, std::shared_ptr<const Graph> body);

// ---- composites
Value sigmoid(Value x);
Value silu(Value x);
Value gelu(Value x);       ///< with erf
Value gelu_tanh(Value x);  ///< the tanh approximation
Value relu(Value x);
Value softplus(Value x);  ///< log(1 + exp(x)), x itself above 20 (torch's threshold)
/// The activation that a config names ("silu", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu", …); Error naming it
/// otherwise.
Value activation(std::string_view name, Value x);
Value softmax(Value x);                                 ///< over the last dimension
Value rms_norm(Value x, Value weight, double epsilon);  ///< x / sqrt(mean(x²) + ε) · weight, last dimension
Value layer_norm(Value x, Value weight, Value bias, double epsilon);  ///< bias may be absent
/// Rotates q or k. x (tokens, heads, head_dim); positions (tokens) i32; inverse frequencies (rotary_dim / 2) f32.
struct Rope {
  int64_t rotary_dim = 0;    ///< 0: all of head_dim
  double scale = 1.0;        ///< multiplies sin and cos (yarn's attention factor)
  bool interleaved = false;  ///< pairs (2i, 2i + 1) as in GPT-J; else (i, i + rotary_dim / 2) as in Llama
};
Value rope(Value x, Value positions, Value inverse_frequencies, const Rope& how);

/// Scaled dot-product attention over ragged sequences with grouped heads. q (tokens, heads, head_dim), k and v (tokens,
/// kv_heads, head_dim), where `tokens` is any dimension: an encoder's rows are 1500 * sequences.
/// A score is soft_cap · tanh(scale · q·k / soft_cap) + slopes[head] · distance + relative[head, distance] +
/// query_relative[head, query, distance] + key_relative[head, key, distance], distance = position of the key - position
/// of the query.
struct Attend {
  double scale = 1.0;
  bool causal = true;   ///< a query sees no key after its own position
  int64_t window = 0;   ///< it sees keys at distances below this (in both directions unless causal); 0: all
  double soft_cap = 0;  ///< 0: none (Gemma 2)
  Value slopes = {};    ///< (heads) f32: ALiBi (arXiv:2108.12409); absent: zeros
  Value relative = {};  ///< (heads, 2 · reach + 1) f32: distances -reach … reach, farther ones as the nearest (T5)
  Value sinks = {};     ///< (heads) f32: the score of one more key, of value 0 (gpt-oss)
  Value lengths = {};   ///< (sequences) i32: keys of each source that count (attend_source); absent: all
  /// What `relative` is for all rows, by the row of the query and by that of the key: (heads, tokens, 2 · reach + 1)
  /// f32 (DeBERTa's disentangled attention, arXiv:2006.03654). Over the step's own tokens only.
  Value query_relative = {}, key_relative = {};
};
/// Over the step's own tokens.
Value attend(Value q, Value k, Value v, Value span_start, const Attend& how);
/// Page tables of a step: a sequence's tokens 0 … context + span - 1 lie in its pages, page_size tokens each.
struct Paged {
  Value k_state;  ///< (pages, kv_heads, head_dim, page_size): a key's elements lie page_size apart, so that scores of a
                  ///< page are contiguous
  Value v_state;  ///< (pages, kv_heads, page_size, head_dim)
  Value span_start;  ///< (sequences + 1) i32
  Value context;     ///< (sequences) i32: tokens already cached before this step
  Value page_table;  ///< (sequences, max_pages) i32
};
struct Attended {
  Value y;  ///< (tokens, heads, head_dim)
  Value k_state, v_state;
};
/// Appends k and v to the cache, then attends over everything cached.
Attended attend_paged(Value q, Value k, Value v, const Paged& cache, const Attend& how);
/// Over keys and values that an encoder left: k_state (source_slots, kv_heads, head_dim, source_length), v_state
/// (source_slots, kv_heads, source_length, head_dim), so that a source is one page; source_slot (sequences) i32. Not
/// causal; reads the states, does not change them.
Value attend_source(Value q, Value k_state, Value v_state, Value span_start, Value source_slot, const Attend& how);

/// Attention over compressed latents (MLA, arXiv:2405.04434), causal: a row of latent (tokens, width) is the key of
/// every head, and its first elements the value. q (tokens, heads, width).
struct AttendLatent {
  double scale = 1.0;
  int64_t value_width;  ///< how many elements of a latent are its value
};
/// As in Paged; `state` absent is the cacheless form.
struct LatentPages {
  Value state;  ///< (pages, width, page_size)
  Value context, page_table;
};
struct AttendedLatent {
  Value y;      ///< (tokens, heads, value_width)
  Value state;  ///< the new version; absent in the cacheless form
};
AttendedLatent attend_latent(Value q, Value latent, Value span_start, const LatentPages& cache,
                             const AttendLatent& how);

/// State operands of a recurrent op; `pool` absent is the cacheless form.
struct Recurrent {
  Value pool, slots, context;
};
struct Recurred {
  Value y;
  Value pool;  ///< the new version; absent in the cacheless form
};
/// Depthwise causal convolution along each sequence: x (tokens, channels), weight (channels, width), bias (channels) or
/// absent → y (tokens, channels). pool (slots, channels, width - 1): the inputs before, oldest first.
Recurred causal_conv(Value x, Value weight, Value bias, Value span_start, const Recurrent& state);
/// The selective scan of Mamba (arXiv:2312.00752): h' = exp(dt·A)·h + dt·B·x, y = C·h' + D·x. In Mamba-2
/// (arXiv:2405.21060) the channels of a head share dt, A and D, and the heads of a group B and C; Mamba has heads of
/// one channel.
struct SelectiveScan {
  Value x;             ///< (tokens, channels)
  Value dt;            ///< (tokens, heads); heads divide channels
  Value a;             ///< (heads, state), or (heads, 1): one decay for all of a head's state
  Value b, c;          ///< (tokens, groups · state)
  Value d;             ///< (heads)
  int64_t groups = 1;  ///< divide heads
};
/// pool (slots, channels, state).
Recurred selective_scan(const SelectiveScan& operands, Value span_start, const Recurrent& state);
/// The gated delta rule (arXiv:2412.06464): S = exp(g)·S; S += k ⊗ β·(v - Sᵀk); y = Sᵀq, a matrix S per head.
struct GatedDelta {
  Value q, k;     ///< (tokens, key_heads, key_dim); key_heads divide heads
  Value v;        ///< (tokens, heads, value_dim)
  Value g, beta;  ///< (tokens, heads)
};
/// pool (slots, heads, key_dim, value_dim) → y (tokens, heads, value_dim).
Recurred gated_delta(const GatedDelta& operands, Value span_start, const Recurrent& state);
/// How a router chooses.
struct Routing {
  enum class Scores : uint8_t { softmax, sigmoid };
  int64_t chosen;                   ///< experts per token
  bool renormalise = false;         ///< divide the chosen weights by their sum
  Scores scores = Scores::softmax;  ///< what logits become
  int64_t groups = 1;               ///< experts lie in groups of equal size …
  int64_t kept_groups = 1;          ///< … and only those of each token's best groups are chosen from, …
  int64_t group_best = 1;           ///< … a group being worth the sum of its so many best scores
  double scale = 1;                 ///< of the weights, at last
};
/// Added to the sum that weights are divided by: a sum of sigmoids may be zero.
inline constexpr double kRouteFloor = 1e-20;
struct Routed {
  Value experts;  ///< (tokens, chosen) i32, the best first
  Value weights;  ///< (tokens, chosen) f32
};
/// Mixture-of-experts routing: logits (tokens, experts) f32. `bias` (experts), or absent, is added to the scores that
/// are compared, not to the weights.
Routed route(Value logits, Value bias, const Routing& how);

}  // namespace braid
