#include "models/blocks.h"

#include <algorithm>

#include "core/error.h"

namespace braid {

Value media(const Step& t, std::string name, std::vector<int64_t> size, size_t fixed) {
  const std::vector<int64_t>& wanted = t.options().source;
  if (!wanted.empty()) {
    const auto end = size.begin() + static_cast<std::ptrdiff_t>(fixed);
    if (wanted.size() != size.size() || !std::equal(size.begin(), end, wanted.begin())) {
      const Shape given(wanted.begin(), wanted.end()), ours(size.begin(), size.end());
      throw UsageError("the input is " + to_string(Type{.shape = given}) + " without the batch, but the model reads " +
                           to_string(Type{.shape = ours}),
                       {.file = {}, .field = name, .offset = {}}, "resize or pad it");
    }
    size = wanted;
  }
  Shape shape{Symbol::sequences};
  shape.insert(shape.end(), size.begin(), size.end());
  return t.builder().input(std::move(name), {.shape = std::move(shape), .format = Format::f32});
}

Value embedding(const Scope& s, Value ids, int64_t count, int64_t width) {
  const Within here(s);
  const Value rows = gather(s.weight({count, width}), ids);
  return rows.type().format == Format::f32 ? rows : cast(rows, Format::f32);
}

Value rms_norm(const Scope& s, Value x, double epsilon) {
  const Within here(s);
  return rms_norm(x, s.floats("weight", {x.dim(-1)}), epsilon);
}

Value layer_norm(const Scope& s, Value x, double epsilon) {
  const Within here(s);
  return layer_norm(x, s.floats("weight", {x.dim(-1)}), s.floats("bias", {x.dim(-1)}), epsilon);
}

Value split_heads(Value x, int64_t head_dim) { return reshape(x, {x.dim(0), x.dim(-1) / head_dim, head_dim}); }

Value merge_heads(Value x) { return reshape(x, {x.dim(0), x.dim(1) * x.dim(2).number()}); }

Value self_attention(const Scope& s, const Step& t, Value q, Value k, Value v, const Attend& how) {
  const Within here(s);
  const EntryOptions& o = t.options();
  if (!o.stateful) return merge_heads(attend(q, k, v, t.span_start(), how));
  Builder& b = t.builder();
  const Dim kv_heads = k.dim(1), head_dim = k.dim(2);
  const Value k_state = b.state(
      s.path() + ".k", {.shape = {Symbol::pages, kv_heads, head_dim, o.page_size}, .format = o.cache}, Lifetime::token);
  const Value v_state = b.state(
      s.path() + ".v", {.shape = {Symbol::pages, kv_heads, o.page_size, head_dim}, .format = o.cache}, Lifetime::token);
  const Attended attended = attend_paged(q, k, v,
                                         {.k_state = k_state,
                                          .v_state = v_state,
                                          .span_start = t.span_start(),
                                          .context = t.context(),
                                          .page_table = t.page_table()},
                                         how);
  b.state_result(k_state, attended.k_state);
  b.state_result(v_state, attended.v_state);
  return merge_heads(attended.y);
}

SourceStates source_states(const Scope& s, const Step& t, const SourceShape& shape) {
  const auto state = [&](const char* suffix, Shape type) {
    return t.builder().state(s.path() + suffix, {.shape = std::move(type), .format = t.options().cache},
                             Lifetime::source);
  };
  return {.k = state(".k", {Symbol::source_slots, shape.heads, shape.head_dim, shape.length}),
          .v = state(".v", {Symbol::source_slots, shape.heads, shape.length, shape.head_dim})};
}

void write_source(const Step& t, const SourceStates& states, Value k, Value v) {
  const Dim heads = states.v.dim(1), length = states.v.dim(2), head_dim = states.v.dim(3);
  const auto write = [&](Value state, Value x, std::vector<int64_t> order) {
    const Value rows = reshape(x, {x.dim(0) / length.number(), length, heads, head_dim});
    t.builder().state_result(state, scatter(state, transpose(rows, std::move(order)), t.source_slot()));
  };
  write(states.k, k, {0, 2, 3, 1});
  write(states.v, v, {0, 2, 1, 3});
}

Value cross_attention(const Step& t, const SourceStates& states, Value q, const Attend& how) {
  return merge_heads(attend_source(q, states.k, states.v, t.span_start(), t.source_slot(), how));
}

Value mixture(const Scope& s, Value x, const Mixture& how) {
  const Within here(s);
  const auto [experts, weights] = route(s.project("gate", x, how.experts), how.chosen, how.renormalise);
  const Dim tokens = x.dim(0), width = x.dim(1), rows = tokens * how.chosen;
  const Group g = group(reshape(experts, {rows}), how.experts);

  const auto each_expert = [&](std::string_view name, Value rows_by_expert, Dim size) {
    std::vector<Value> matrices;
    for (int64_t e = 0; e < how.experts; ++e)
      matrices.push_back(s["experts"][e][name].weight({size, rows_by_expert.dim(-1)}));
    return contract_grouped(rows_by_expert, g.offsets, matrices);
  };
  // Row r of the flattened choices is choice r % chosen of token r / chosen.
  const int32_t chosen = static_cast<int32_t>(how.chosen);
  const Value token_of = div(g.order, x.builder->constant(Tensor::of({}, std::span(&chosen, 1))));
  const Value sorted = gather(x, token_of);  // (rows, width)
  const Value inner =
      activation(how.activation, each_expert(how.gate, sorted, how.inner)) * each_expert(how.up, sorted, how.inner);
  const Value y = gather(each_expert(how.down, inner, width), g.inverse);
  return reduce_sum(reshape(y, {tokens, how.chosen, width}) * reshape(weights, {tokens, how.chosen, 1}), 1);
}

void HiddenStates::add(Value x, const Shape& shape) {
  if (!step_.options().hidden_states) return;
  step_.builder().output(prefix_ + "." + std::to_string(count_++), shape.empty() ? x : reshape(x, shape));
}

Value first_of_each(const Step& t, Value x) {
  const Value first = gather(t.span_start(), iota(t.builder(), Symbol::sequences));
  return gather(x, first);
}

Value token_logits(const Scope& s, const Step& t, Value x, int64_t vocabulary) {
  const Within here(s);
  return contract(gather(x, t.rows()), s.weight({vocabulary, x.dim(-1)}));
}

}  // namespace braid
