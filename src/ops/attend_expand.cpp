#include "ops/attend_expand.h"

#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

const Dim kSequences(Symbol::sequences);

/// What a query may look at: one row of keys per sequence, and where the keys lie.
struct Keys {
  Value keys, values;  ///< (sequences, L, kv_heads, head_dim)
  Value valid;         ///< (sequences, L) boolean; absent: all are
  Value distance;      ///< (tokens, L) i32: position of the key - position of the query; absent: a source has none
};

Value column(Value x) { return reshape(x, {x.dim(0), 1}); }
Value number(Builder& b, int64_t n) { return scalar_i32(b, static_cast<int32_t>(n)); }
/// least <= x < end, elementwise.
Value between(Builder& b, Value x, Value least, Value end) {
  return less(maximum(x - end, least - x - number(b, 1)), number(b, 0));
}

/// The operand that the attribute NAME is the index of; absent when the node has none.
Value hook(const Node& node, std::span<const Value> operands, std::string_view name) {
  const int64_t index = node.attrs.integer_or(name, 0);
  return index == 0 ? Value{} : operands[static_cast<size_t>(index)];
}

/// The keys that a query sees: (tokens, L) boolean; absent: all.
Value seen(Builder& b, const Node& node, Value distance) {
  const int64_t window = node.attrs.integer_or("window", 0);
  if (node.attrs.integer("causal") != 0) {
    if (window == 0) return less(distance, number(b, 1));
    return between(b, distance, number(b, 1 - window), number(b, 1));
  }
  return window == 0 ? Value{} : between(b, distance, number(b, 1 - window), number(b, window));
}

/// What the hooks add to scores (kv_heads, sequences, group, tokens, L).
Value with_bias(Builder& b, const Node& node, std::span<const Value> o, Value scores, Value distance) {
  const Dim kv_heads = scores.dim(0), group = scores.dim(2), tokens = scores.dim(3), length = scores.dim(4);
  if (const Value slopes = hook(node, o, "slopes"))
    scores = scores + reshape(slopes, {kv_heads, 1, group, 1, 1}) * cast(distance, Format::f32);
  if (const Value relative = hook(node, o, "relative")) {
    const int64_t reach = relative.dim(1).number() / 2;
    const Value place = minimum(maximum(distance, number(b, -reach)), number(b, reach)) + number(b, reach);
    const Value bias = transpose(gather(transpose(relative, {1, 0}), place), {2, 0, 1});  // (heads, tokens, L)
    scores = scores + reshape(bias, {kv_heads, 1, group, tokens, length});
  }
  // By row of the query, or of the key: the same tokens, as only the step's own are.
  for (const std::string_view name : {"query_relative", "key_relative"}) {
    const Value by_row = hook(node, o, name);
    if (!by_row) continue;
    const int64_t distances = by_row.dim(2).number(), reach = distances / 2;
    const Value place = minimum(maximum(distance, number(b, -reach)), number(b, reach)) + number(b, reach);
    const Value row = name == "query_relative" ? column(iota(b, tokens)) : reshape(iota(b, length), {1, length});
    const Value flat = transpose(by_row, {1, 2, 0});  // (tokens, distances, heads)
    const Value bias = transpose(gather(flat, row * number(b, distances) + place, 2), {2, 0, 1});  // (heads, tokens, L)
    scores = scores + reshape(bias, {kv_heads, 1, group, tokens, length});
  }
  return scores;
}

/// Every query meets the keys of every sequence, and the results of the other sequences are dropped: `select`, not a
/// product with zero, so that nothing in them, be it NaN, reaches the result. All masked weights are exactly zero.
Value attend_dense(Builder& b, const Node& node, std::span<const Value> o, Value segment, Keys k) {
  const Value q = o[0];
  const int64_t heads = q.dim(1).number(), head_dim = q.dim(2).number(), kv_heads = k.keys.dim(2).number();
  const int64_t group = heads / kv_heads;
  const Dim tokens = q.dim(0), length = k.keys.dim(1);
  Value zero = b.scalar(0), low = b.scalar(-3.4028234663852886e38);
  k.keys = as_f32(k.keys);
  k.values = as_f32(k.values);
  if (k.valid) {
    Value mask = reshape(k.valid, {kSequences, length, 1, 1});
    k.keys = select(mask, k.keys, zero);
    k.values = select(mask, k.values, zero);
  }
  Value queries = transpose(reshape(q, {tokens, kv_heads, group, head_dim}), {1, 2, 0, 3});
  queries = broadcast(reshape(queries, {kv_heads, 1, tokens * group, head_dim}),
                      {kv_heads, kSequences, tokens * group, head_dim});
  Value scores = contract(queries, transpose(k.keys, {2, 0, 1, 3}));  // (kv_heads, sequences, group · tokens, L)
  scores = reshape(scores, {kv_heads, kSequences, group, tokens, length}) * node.attrs.number("scale");
  if (const double cap = node.attrs.number_or("soft_cap", 0); cap > 0) scores = tanh(scores * (1 / cap)) * cap;
  std::vector<Value> masks;
  if (k.valid) masks.push_back(reshape(k.valid, {kSequences, 1, 1, length}));
  if (k.distance) {
    scores = with_bias(b, node, o, scores, k.distance);
    if (const Value mask = seen(b, node, k.distance)) masks.push_back(mask);
  }
  for (Value mask : masks) scores = select(mask, scores, low);
  Value greatest = reduce_max(scores, -1, true);
  Value sink = hook(node, o, "sinks");
  if (sink) {
    sink = reshape(sink, {kv_heads, 1, group, 1, 1});
    greatest = maximum(greatest, sink);
  }
  Value weights = exp(scores - greatest);
  for (Value mask : masks) weights = select(mask, weights, zero);
  Value total = reduce_sum(weights, -1, true);
  if (sink) total = total + exp(sink - greatest);
  weights = reshape(weights / total, {kv_heads, kSequences, tokens * group, length});
  Value y = contract(weights, transpose(k.values, {2, 0, 3, 1}));  // (kv_heads, sequences, group · tokens, head_dim)
  y = reshape(y, {kv_heads, kSequences, group, tokens, head_dim});
  Value own = equal(column(iota(b, kSequences)), segment);  // (sequences, tokens)
  y = reduce_sum(select(reshape(own, {kSequences, 1, tokens, 1}), y, zero), 1);
  return reshape(transpose(y, {2, 0, 1, 3}), {tokens, heads, head_dim});
}

std::vector<Value> expand_none(Builder& b, const Node& node, std::span<const Value> o) {
  const Dim tokens = o[0].dim(0);
  Value segment = segment_of(o[3], tokens), place = iota(b, tokens);
  auto per_sequence = [&](Value x) { return broadcast(x, {kSequences, tokens, x.dim(1), x.dim(2)}); };
  // Within a sequence, places in the step differ as positions do.
  return {attend_dense(b, node, o, segment,
                       {.keys = per_sequence(o[1]),
                        .values = per_sequence(o[2]),
                        .valid = equal(column(iota(b, kSequences)), segment),
                        .distance = place - column(place)})};
}

/// Indices are i32, so pools of fewer than 2³¹ elements.
std::vector<Value> expand_paged(Builder& b, const Node& node, std::span<const Value> o) {
  const Type& pool = o[3].type();
  const int64_t kv_heads = pool[1].number(), head_dim = pool[2].number(), page_size = pool[3].number();
  const int64_t max_pages = o[7].dim(1).number(), length = max_pages * page_size;
  Value span_start = o[5], context = o[6], table = o[7];
  const Dim tokens = o[0].dim(0);
  Value segment = segment_of(span_start, tokens);
  Value position = gather(context, segment) + (iota(b, tokens) - gather(span_start, segment));
  Value page_index = position / number(b, page_size);
  Value slot = position - page_index * number(b, page_size);
  Value page = gather(table, segment * number(b, max_pages) + page_index, 2);
  Value head = column(page) * number(b, kv_heads) + iota(b, kv_heads);  // (tokens, kv_heads)
  Value v_index = head * number(b, page_size) + column(slot);
  Value element = reshape(head, {tokens, kv_heads, 1}) * number(b, head_dim) + iota(b, head_dim);
  Value k_index = element * number(b, page_size) + reshape(slot, {tokens, 1, 1});
  Value k_state = scatter(o[3], o[1], k_index, 4), v_state = scatter(o[4], o[2], v_index, 3);
  // Entries of the table beyond a sequence's end, or wholly before its window, may be anything.
  const int64_t window = node.attrs.integer_or("window", 0);
  Value sequence = iota(b, kSequences);
  Value total = column(context + (gather(span_start, sequence + 1.0) - gather(span_start, sequence)));
  Value first = window == 0 ? number(b, 0) : column(context) + number(b, 1 - window);
  Value page_start = iota(b, max_pages) * number(b, page_size);
  Value used = between(b, page_start, first - number(b, page_size - 1), total);  // (sequences, max_pages)
  Value pages = select(used, table, number(b, 0));
  auto cached = [&](Value state, std::vector<int64_t> order) {  // (sequences, length, kv_heads, head_dim)
    return reshape(transpose(gather(state, pages), std::move(order)), {kSequences, length, kv_heads, head_dim});
  };
  Value place = iota(b, length);
  return {attend_dense(b, node, o, segment,
                       {.keys = cached(k_state, {0, 1, 4, 2, 3}),
                        .values = cached(v_state, {0, 1, 3, 2, 4}),
                        .valid = between(b, place, first, total),
                        .distance = place - column(position)}),
          k_state, v_state};
}

std::vector<Value> expand_source(Builder& b, const Node& node, std::span<const Value> o) {
  const Value lengths = hook(node, o, "lengths");
  return {attend_dense(b, node, o, segment_of(o[3], o[0].dim(0)),
                       {.keys = transpose(gather(o[1], o[4]), {0, 3, 1, 2}),
                        .values = transpose(gather(o[2], o[4]), {0, 2, 1, 3}),
                        .valid = lengths ? less(iota(b, o[1].dim(3)), column(lengths)) : Value{},
                        .distance = {}})};
}

}  // namespace

std::vector<Value> expand_attend(Builder& b, const Node& node, std::span<const Value> operands) {
  const std::string& cache = node.attrs.text("cache");
  return (cache == "none" ? expand_none : cache == "paged" ? expand_paged : expand_source)(b, node, operands);
}

}  // namespace braid
