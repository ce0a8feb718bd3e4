// Attention over compressed latents (MLA, arXiv:2405.04434), with the projections of keys and values absorbed into
// those of queries and results: every head reads the same rows, whole as keys, their first elements as values.
// Operands: q (tokens, heads, width), latent (tokens, width), span_start, [state (pages, width, page_size), context,
// page_table]. Attributes: scale, value_width, stateful (0 or 1). Results: y (tokens, heads, value_width), [state'].
#include <algorithm>

#include "core/error.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

const Dim kSequences(Symbol::sequences), kTokens(Symbol::tokens);

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  attrs.number("scale");
  const bool stateful = attrs.integer("stateful") != 0;
  check_count(operands, stateful ? 6 : 3);
  check_format(operands, 0, Format::f32);
  check_rank(operands, 0, 3);
  const int64_t heads = check_number(operands, 0, 1), width = check_number(operands, 0, 2);
  check_shape(operands, 0, {kTokens, Dim(heads), Dim(width)});
  check_format(operands, 1, Format::f32);
  check_shape(operands, 1, {kTokens, Dim(width)});
  check_format(operands, 2, Format::i32);
  check_shape(operands, 2, {kSequences + 1});
  const int64_t value_width = attrs.integer("value_width");
  if (value_width < 1 || value_width > width)
    fail_operand(1, operands[1], "has no " + std::to_string(value_width) + " elements to be a value");
  const Type y{{kTokens, Dim(heads), Dim(value_width)}, Format::f32, {}};
  if (!stateful) return {y};
  check_floating(operands, 3);
  check_rank(operands, 3, 3);
  check_shape(operands, 3, {operands[3][0], Dim(width), Dim(check_number(operands, 3, 2))});
  for (size_t i = 4; i < 6; ++i) check_format(operands, i, Format::i32);
  check_shape(operands, 4, {kSequences});
  check_shape(operands, 5, {kSequences, Dim(check_number(operands, 5, 1))});
  return {y, operands[3]};
}

Value column(Value x) { return reshape(x, {x.dim(0), 1}); }

/// What a query may look at.
struct Latents {
  Value rows;    ///< (sequences, L, width)
  Value valid;   ///< (sequences, L) boolean
  Value causal;  ///< (tokens, L) boolean
};

/// Every query meets the latents of every sequence, and the results of the other sequences are dropped by `select`.
Value attend_dense(Builder& b, const Node& node, Value q, Value segment, Latents k) {
  const int64_t heads = q.dim(1).number(), width = q.dim(2).number(), value_width = node.attrs.integer("value_width");
  const Dim length = k.rows.dim(1), queries = kTokens * heads;
  const Value zero = b.scalar(0), low = b.scalar(-3.4028234663852886e38);
  k.rows = select(reshape(k.valid, {kSequences, length, 1}), as_f32(k.rows), zero);
  const Value all = broadcast(reshape(q, {1, queries, width}), {kSequences, queries, width});
  Value scores = reshape(contract(all, k.rows), {kSequences, kTokens, heads, length}) * node.attrs.number("scale");
  const Value masks[] = {reshape(k.valid, {kSequences, 1, 1, length}), reshape(k.causal, {kTokens, 1, length})};
  for (Value mask : masks) scores = select(mask, scores, low);
  Value weights = exp(scores - reduce_max(scores, -1, true));
  for (Value mask : masks) weights = select(mask, weights, zero);
  weights = reshape(weights / reduce_sum(weights, -1, true), {kSequences, queries, length});
  Value y = contract(weights, transpose(slice(k.rows, 2, 0, value_width), {0, 2, 1}));
  y = reshape(y, {kSequences, kTokens, heads, value_width});
  const Value own = equal(column(iota(b, kSequences)), segment);  // (sequences, tokens)
  return reduce_sum(select(reshape(own, {kSequences, kTokens, 1, 1}), y, zero), 0);
}

std::vector<Value> expand(Builder& b, const Node& node, std::span<const Value> o) {
  const Value segment = segment_of(o[2]), place = iota(b, kTokens), sequence = iota(b, kSequences);
  const Dim width = o[1].dim(1);
  if (node.attrs.integer("stateful") == 0) {
    const Latents own{broadcast(o[1], {kSequences, kTokens, width}), equal(column(sequence), segment),
                      less(place, column(place + 1.0))};
    return {attend_dense(b, node, o[0], segment, own)};
  }
  const int64_t page_size = o[3].dim(2).number(), max_pages = o[5].dim(1).number(), length = max_pages * page_size;
  const Value context = o[4], table = o[5];
  const auto number = [&](int64_t n) { return scalar_i32(b, static_cast<int32_t>(n)); };
  const Value position = gather(context, segment) + (place - gather(o[2], segment));
  const Value page_index = position / number(page_size), slot = position - page_index * number(page_size);
  const Value page = gather(table, segment * number(max_pages) + page_index, 2);
  const Value element = column(page) * number(width.number()) + iota(b, width);  // (tokens, width)
  const Value state = scatter(o[3], o[1], element * number(page_size) + column(slot), 3);
  const Value total = column(context + (gather(o[2], sequence + 1.0) - gather(o[2], sequence)));
  const Value used = less(iota(b, max_pages) * number(page_size), total);  // (sequences, max_pages)
  const Value pages = select(used, table, number(0));  // entries beyond a sequence's end may be anything
  const Value rows = reshape(transpose(gather(state, pages), {0, 1, 3, 2}), {kSequences, length, width});
  const Latents cached{rows, less(iota(b, length), total), less(iota(b, length), column(position + 1.0))};
  return {attend_dense(b, node, o[0], segment, cached), state};
}

/// Latents per query: half of a sequence's share of the step, or the bound of its page table.
Cost cost(const Node& node, Types o, const SymbolValues& sizes) {
  const double tokens = static_cast<double>(sizes[Symbol::tokens]);
  const double sequences = static_cast<double>(std::max<int64_t>(1, sizes[Symbol::sequences]));
  const bool stateful = node.attrs.integer("stateful") != 0;
  const double length =
      stateful ? static_cast<double>((o[5][1] * o[3][2].number()).number()) : tokens / sequences * 0.5;
  const double width = static_cast<double>(o[1][1].number()), heads = static_cast<double>(o[0][1].number());
  const double both = width + static_cast<double>(node.attrs.integer("value_width"));
  const double element = stateful ? info(o[3].format).block_bytes : 4;
  return {.flops = 2 * tokens * heads * both * length,
          .bytes = 4 * tokens * (heads * both + width) + sequences * length * width * element};
}

}  // namespace

const OpInfo op::attend_latent{.name = "attend_latent",
                               .kind = Kind::composite,
                               .infer = infer,
                               .expand = expand,
                               .cost = cost,
                               .updates = [](const Node& node) {
                                 return node.attrs.integer("stateful") != 0 ? Updates{{3, 1}} : Updates{};
                               }};

AttendedLatent attend_latent(Value q, Value latent, Value span_start, const LatentPages& cache,
                             const AttendLatent& how) {
  std::vector<Value> operands{q, latent, span_start};
  if (cache.state) operands.insert(operands.end(), {cache.state, cache.context, cache.page_table});
  auto results = append_all(op::attend_latent, std::move(operands),
                            {{"scale", how.scale},
                             {"value_width", how.value_width},
                             {"stateful", static_cast<int64_t>(static_cast<bool>(cache.state))}});
  return {results[0], cache.state ? results[1] : Value{}};
}

}  // namespace braid
