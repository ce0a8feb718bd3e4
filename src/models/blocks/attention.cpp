#include "models/blocks/attention.h"

namespace braid {

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

}  // namespace braid
