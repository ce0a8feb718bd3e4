#include "models/blocks/attention.h"

#include <bit>
#include <cmath>

#include "ops/shapes.h"

namespace braid {
namespace {

Value length_state(const Step& t) {
  return t.builder().state("source.length", {.shape = {Symbol::source_slots}, .format = Format::i32}, Lifetime::source);
}

}  // namespace

Value split_heads(Value x, int64_t head_dim) { return reshape(x, {x.dim(0), x.dim(-1) / head_dim, head_dim}); }

Value merge_heads(Value x) { return reshape(x, {x.dim(0), x.dim(1) * x.dim(2).number()}); }

Value self_attention(const Scope& s, const Step& t, Value q, Value k, Value v, const Attend& how) {
  const Within here(s);
  const EntryOptions& o = t.options();
  if (!o.stateful) return merge_heads(attend(q, k, v, t.span_start(), how));
  Builder& b = t.builder();
  const Dim kv_heads = k.dim(1), head_dim = k.dim(2);
  const bool windowed = how.window > 0;  // then pages go back when they have left it
  const Symbol pages = windowed ? Symbol::window_pages : Symbol::pages;
  const Value k_state =
      b.state(s.path() + ".k", {.shape = {pages, kv_heads, head_dim, o.page_size}, .format = o.cache}, Lifetime::token);
  const Value v_state =
      b.state(s.path() + ".v", {.shape = {pages, kv_heads, o.page_size, head_dim}, .format = o.cache}, Lifetime::token);
  const Attended attended = attend_paged(q, k, v,
                                         {.k_state = k_state,
                                          .v_state = v_state,
                                          .span_start = t.span_start(),
                                          .context = t.context(),
                                          .page_table = windowed ? t.window_table() : t.page_table()},
                                         how);
  b.state_result(k_state, attended.k_state);
  b.state_result(v_state, attended.v_state);
  return merge_heads(attended.y);
}

QueriesKeysValues queries_keys_values(const Scope& a, Value x, const HeadConfig& c, bool bias) {
  const int64_t kv_width = c.kv_heads * c.head_dim;
  const auto [q, k, v] =
      a.project({{"q_proj", c.heads * c.head_dim}, {"k_proj", kv_width}, {"v_proj", kv_width}}, x, bias);
  return {split_heads(q, c.head_dim), split_heads(k, c.head_dim), split_heads(v, c.head_dim)};
}

QueriesKeysValues fused_queries_keys_values(const Scope& a, std::string_view name, Value x, const HeadConfig& c,
                                            bool bias) {
  const int64_t queries = c.heads * c.head_dim, keys = queries + c.kv_heads * c.head_dim;
  const int64_t all = keys + c.kv_heads * c.head_dim;
  const Value qkv = a.project(name, x, all, bias);
  return {split_heads(slice(qkv, -1, 0, queries), c.head_dim), split_heads(slice(qkv, -1, queries, keys), c.head_dim),
          split_heads(slice(qkv, -1, keys, all), c.head_dim)};
}

QueriesKeysValues grouped_queries_keys_values(const Scope& a, std::string_view name, Value x, const HeadConfig& c,
                                              bool bias) {
  const int64_t group = c.heads / c.kv_heads;
  const Value all = reshape(a.project(name, x, (c.heads + 2 * c.kv_heads) * c.head_dim, bias),
                            {x.dim(0), c.kv_heads, group + 2, c.head_dim});
  const auto part = [&](int64_t begin, int64_t end, int64_t heads) {
    return reshape(slice(all, 2, begin, end), {x.dim(0), heads, c.head_dim});
  };
  return {part(0, group, c.heads), part(group, group + 1, c.kv_heads), part(group + 1, group + 2, c.kv_heads)};
}

Value attend_and_project(const Scope& a, const Step& t, QueriesKeysValues x, const SelfAttention& how) {
  if (how.head_norm) {
    x.q = how.head_norm(a["q_norm"], x.q);
    x.k = how.head_norm(a["k_norm"], x.k);
  }
  if (how.bound > 0)
    for (Value* part : {&x.q, &x.k, &x.v})
      *part = minimum(maximum(*part, a.builder().scalar(-how.bound)), a.builder().scalar(how.bound));
  if (how.rotary != nullptr) {
    x.q = (*how.rotary)(x.q, t.positions());
    x.k = (*how.rotary)(x.k, t.positions());
  }
  return a.project(how.output, self_attention(a, t, x.q, x.k, x.v, how.how), how.heads.hidden, how.output_bias);
}

Value self_attention_block(const Scope& a, const Step& t, Value x, const SelfAttention& how) {
  return attend_and_project(a, t, queries_keys_values(a, x, how.heads, how.bias), how);
}

std::vector<int64_t> layer_windows(const Config& c, int64_t layers, const std::function<bool(int64_t)>& slides,
                                   std::optional<int64_t> window) {
  const std::vector<std::string> types = c.strings("layer_types");
  if (!types.empty() && static_cast<int64_t>(types.size()) != layers)
    c.fail("layer_types",
           "there are " + std::to_string(types.size()) + " types for " + std::to_string(layers) + " layers");
  std::vector<int64_t> windows(static_cast<size_t>(layers), 0);
  for (size_t i = 0; i < windows.size(); ++i) {
    if (!types.empty() && types[i] != "sliding_attention" && types[i] != "full_attention")
      c.fail("layer_types", "layer " + std::to_string(i) + " is of the unknown type \"" + types[i] + "\"",
             "this family has full_attention and sliding_attention");
    const bool sliding = types.empty() ? slides(static_cast<int64_t>(i)) : types[i] == "sliding_attention";
    if (sliding) windows[i] = window ? *window : c.size_at("sliding_window");
  }
  return windows;
}

Value alibi_slopes(Builder& b, int64_t heads, double scale, double bias_max) {
  const auto power = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  std::vector<float> slopes;
  for (int64_t i = 0; i < heads; ++i) {
    const double step = i < power ? static_cast<double>(i + 1) / static_cast<double>(power)
                                  : (static_cast<double>(i - power) + 0.5) / static_cast<double>(power);
    slopes.push_back(static_cast<float>(scale * std::exp2(-bias_max * step)));
  }
  return b.constant(Tensor::of({heads}, std::span<const float>(slopes)));
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

void write_ragged_source(const Step& t, const SourceStates& states, Value k, Value v) {
  Builder& b = t.builder();
  const int64_t heads = states.v.dim(1).number(), length = states.v.dim(2).number(),
                head_dim = states.v.dim(3).number();
  const auto number = [&](int64_t n) { return scalar_i32(b, static_cast<int32_t>(n)); };
  const Value spans = t.span_start();
  const Value sequence = segment_of(spans), place = iota(b, Symbol::tokens) - gather(spans, sequence);
  const Value slot = reshape(gather(t.source_slot(), sequence), {Symbol::tokens, 1});
  const Value head = slot * number(heads) + iota(b, heads);  // (tokens, heads)
  const Value row = head * number(length) + reshape(place, {Symbol::tokens, 1});
  t.builder().state_result(states.v, scatter(states.v, split_heads(v, head_dim), row, 3));
  const Value element = reshape(head, {Symbol::tokens, heads, 1}) * number(head_dim) + iota(b, head_dim);
  const Value column = element * number(length) + reshape(place, {Symbol::tokens, 1, 1});
  t.builder().state_result(states.k, scatter(states.k, split_heads(k, head_dim), column, 4));
}

void write_source_lengths(const Step& t) {
  const Value spans = t.span_start(), sequence = iota(t.builder(), Symbol::sequences), state = length_state(t);
  const Value lengths = gather(spans, sequence + 1.0) - gather(spans, sequence);
  t.builder().state_result(state, scatter(state, lengths, t.source_slot()));
}

Value source_lengths(const Step& t) { return gather(length_state(t), t.source_slot()); }

Value cross_attention(const Step& t, const SourceStates& states, Value q, const Attend& how) {
  return merge_heads(attend_source(q, states.k, states.v, t.span_start(), t.source_slot(), how));
}

}  // namespace braid
