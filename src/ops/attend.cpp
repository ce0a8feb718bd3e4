// Scaled dot-product attention with grouped heads over ragged sequences.
// Attributes: cache, scale, causal (0 or 1). Operands by cache:
//   none:   q, k, v, span_start → y
//   paged:  q, k, v, k_state, v_state, span_start, context, page_table → y, k_state', v_state'
//   source: q, k_state, v_state, span_start, source_slot → y
#include <algorithm>

#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

const Dim kSequences(Symbol::sequences);

void check_indices(Types operands, size_t index, const Shape& shape) {
  check_format(operands, index, Format::i32);
  check_shape(operands, index, shape);
}

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  attrs.number("scale");
  attrs.integer("causal");
  const std::string& cache = attrs.text("cache");
  check_count(operands, cache == "none" ? 4 : cache == "paged" ? 8 : 5);
  check_format(operands, 0, Format::f32);
  check_rank(operands, 0, 3);
  const int64_t heads = check_number(operands, 0, 1), head_dim = check_number(operands, 0, 2);
  const int64_t kv_heads = check_number(operands, 1, 1);
  if (kv_heads < 1 || heads % kv_heads != 0)
    fail_operand(1, operands[1], "has key-value heads that do not divide " + std::to_string(heads) + " heads");
  if (cache == "source") {
    check_rank(operands, 1, 4);
    for (size_t i = 1; i < 3; ++i) check_floating(operands, i);
    const Dim slots = operands[1][0], length = operands[1][3];
    check_shape(operands, 1, {slots, Dim(kv_heads), Dim(head_dim), length});
    check_shape(operands, 2, {slots, Dim(kv_heads), length, Dim(head_dim)});
    check_indices(operands, 3, {kSequences + 1});
    check_indices(operands, 4, {kSequences});
    if (attrs.integer("causal") != 0) throw ShapeError("attention over a source is not causal");
    return {operands[0]};
  }
  for (size_t i = 1; i < 3; ++i) {
    check_format(operands, i, Format::f32);
    check_shape(operands, i, {operands[0][0], Dim(kv_heads), Dim(head_dim)});
  }
  if (cache == "none") {
    check_indices(operands, 3, {kSequences + 1});
    return {operands[0]};
  }
  if (cache != "paged") throw ShapeError("no cache is called \"" + cache + "\"");
  check_rank(operands, 3, 4);
  const int64_t page_size = check_number(operands, 3, 3);
  for (size_t i = 3; i < 5; ++i) check_floating(operands, i);
  check_shape(operands, 3, {operands[3][0], Dim(kv_heads), Dim(head_dim), Dim(page_size)});
  check_shape(operands, 4, {operands[3][0], Dim(kv_heads), Dim(page_size), Dim(head_dim)});
  check_indices(operands, 5, {kSequences + 1});
  check_indices(operands, 6, {kSequences});
  check_indices(operands, 7, {kSequences, Dim(check_number(operands, 7, 1))});
  return {operands[0], operands[3], operands[4]};
}

/// What a query may look at: one row of keys per sequence, and masks.
struct Keys {
  Value keys, values;  ///< (sequences, L, kv_heads, head_dim)
  Value valid;         ///< (sequences, L) boolean; absent: all are
  Value causal;        ///< (tokens, L) boolean; absent: every query sees all
};

Value column(Value x) { return reshape(x, {x.dim(0), 1}); }

/// Every query meets the keys of every sequence, and the results of the other sequences are dropped: `select`, not a
/// product with zero, so that nothing in them, be it NaN, reaches the result. All masked weights are exactly zero.
Value attend_dense(Builder& b, const Node& node, Value q, Value segment, Keys k) {
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
  std::vector<Value> masks;
  if (k.valid) masks.push_back(reshape(k.valid, {kSequences, 1, 1, length}));
  if (k.causal) masks.push_back(k.causal);
  for (Value mask : masks) scores = select(mask, scores, low);
  Value weights = exp(scores - reduce_max(scores, -1, true));
  for (Value mask : masks) weights = select(mask, weights, zero);
  weights = weights / reduce_sum(weights, -1, true);
  weights = reshape(weights, {kv_heads, kSequences, tokens * group, length});
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
  Keys k{per_sequence(o[1]), per_sequence(o[2]), equal(column(iota(b, kSequences)), segment), {}};
  if (node.attrs.integer("causal") != 0) k.causal = less(place, column(place + 1.0));
  return {attend_dense(b, node, o[0], segment, k)};
}

/// Indices are i32, so pools of fewer than 2³¹ elements.
std::vector<Value> expand_paged(Builder& b, const Node& node, std::span<const Value> o) {
  const Type& pool = o[3].type();
  const int64_t kv_heads = pool[1].number(), head_dim = pool[2].number(), page_size = pool[3].number();
  const int64_t max_pages = o[7].dim(1).number(), length = max_pages * page_size;
  Value span_start = o[5], context = o[6], table = o[7];
  auto number = [&](int64_t n) { return scalar_i32(b, static_cast<int32_t>(n)); };
  const Dim tokens = o[0].dim(0);
  Value segment = segment_of(span_start, tokens);
  Value position = gather(context, segment) + (iota(b, tokens) - gather(span_start, segment));
  Value page_index = position / number(page_size);
  Value slot = position - page_index * number(page_size);
  Value page = gather(table, segment * number(max_pages) + page_index, 2);
  Value head = column(page) * number(kv_heads) + iota(b, kv_heads);  // (tokens, kv_heads)
  Value v_index = head * number(page_size) + column(slot);
  Value element = reshape(head, {tokens, kv_heads, 1}) * number(head_dim) + iota(b, head_dim);
  Value k_index = element * number(page_size) + reshape(slot, {tokens, 1, 1});
  Value k_state = scatter(o[3], o[1], k_index, 4), v_state = scatter(o[4], o[2], v_index, 3);
  Value sequence = iota(b, kSequences);
  Value total = column(context + (gather(span_start, sequence + 1.0) - gather(span_start, sequence)));
  Value used = less(iota(b, max_pages) * number(page_size), total);  // (sequences, max_pages)
  Value pages = select(used, table, number(0));                      // entries beyond a sequence's end may be anything
  auto cached = [&](Value state, std::vector<int64_t> order) {       // (sequences, length, kv_heads, head_dim)
    return reshape(transpose(gather(state, pages), std::move(order)), {kSequences, length, kv_heads, head_dim});
  };
  Keys k{cached(k_state, {0, 1, 4, 2, 3}), cached(v_state, {0, 1, 3, 2, 4}), less(iota(b, length), total), {}};
  if (node.attrs.integer("causal") != 0) k.causal = less(iota(b, length), column(position + 1.0));
  return {attend_dense(b, node, o[0], segment, k), k_state, v_state};
}

std::vector<Value> expand_source(Builder& b, const Node& node, std::span<const Value> o) {
  Keys k{transpose(gather(o[1], o[4]), {0, 3, 1, 2}), transpose(gather(o[2], o[4]), {0, 2, 1, 3}), {}, {}};
  return {attend_dense(b, node, o[0], segment_of(o[3], o[0].dim(0)), k)};
}

std::vector<Value> expand(Builder& b, const Node& node, std::span<const Value> operands) {
  const std::string& cache = node.attrs.text("cache");
  return (cache == "none" ? expand_none : cache == "paged" ? expand_paged : expand_source)(b, node, operands);
}

/// Keys per query: a sequence's share of the step, the bound of its page table, or its source.
Cost cost(const Node& node, Types o, const SymbolValues& sizes) {
  const std::string& cache = node.attrs.text("cache");
  const double tokens = static_cast<double>(o[0][0].at(sizes));
  const double sequences = static_cast<double>(std::max<int64_t>(1, sizes[Symbol::sequences]));
  const Type& keys = cache == "paged" ? o[3] : o[1];
  double length = tokens / sequences * (node.attrs.integer("causal") != 0 ? 0.5 : 1.0);
  if (cache == "paged") length = static_cast<double>((o[7][1] * keys[3].number()).number());
  if (cache == "source") length = static_cast<double>(keys[3].at(sizes));
  const double width = static_cast<double>(o[0][1].number() * o[0][2].number());
  const double kv_width = static_cast<double>(keys[1].number() * o[0][2].number());
  return {.flops = 4 * tokens * width * length,
          .bytes = 8 * tokens * (width + kv_width) + 2 * sequences * length * kv_width * info(keys.format).block_bytes};
}

std::vector<Value> attend_node(std::vector<Value> operands, std::string cache, const Attend& how) {
  return append_all(op::attend, std::move(operands),
                    {{"cache", std::move(cache)}, {"scale", how.scale}, {"causal", static_cast<int64_t>(how.causal)}});
}

}  // namespace

const OpInfo op::attend{.name = "attend",
                        .kind = Kind::composite,
                        .infer = infer,
                        .expand = expand,
                        .cost = cost,
                        .updates = [](const Node& node) {
                          return node.attrs.text("cache") == "paged" ? Updates{{3, 1}, {4, 2}} : Updates{};
                        }};

Value attend(Value q, Value k, Value v, Value span_start, const Attend& how) {
  return attend_node({q, k, v, span_start}, "none", how).front();
}

Attended attend_paged(Value q, Value k, Value v, const Paged& c, const Attend& how) {
  auto results = attend_node({q, k, v, c.k_state, c.v_state, c.span_start, c.context, c.page_table}, "paged", how);
  return {results[0], results[1], results[2]};
}

Value attend_source(Value q, Value k_state, Value v_state, Value span_start, Value source_slot, const Attend& how) {
  return attend_node({q, k_state, v_state, span_start, source_slot}, "source", how).front();
}

}  // namespace braid
