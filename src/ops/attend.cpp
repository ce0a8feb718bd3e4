// Scaled dot-product attention with grouped heads over ragged sequences; its meaning is in attend_expand.cpp.
// Attributes: cache, scale, causal (0 or 1); window and soft_cap where there are such.
// Operands by cache:
//   none:   q, k, v, span_start → y
//   paged:  q, k, v, k_state, v_state, span_start, context, page_table → y, k_state', v_state'
//   source: q, k_state, v_state, span_start, source_slot → y
// and after them the hooks; the attributes of their names are the indices of those that there are.
#include <algorithm>

#include "core/error.h"
#include "ops/attend_expand.h"
#include "ops/ops.h"
#include "ops/shapes.h"

namespace braid {
namespace {

const Dim kSequences(Symbol::sequences);

void check_indices(Types operands, size_t index, const Shape& shape) {
  check_format(operands, index, Format::i32);
  check_shape(operands, index, shape);
}

/// A hook, in the order in which they follow the operands of the cache.
struct Hook {
  std::string_view name;
  Value Attend::*value;
  bool none, paged, source;  ///< the caches that it may come with; a source has no distances
};
constexpr Hook kHooks[] = {{"slopes", &Attend::slopes, true, true, false},
                           {"relative", &Attend::relative, true, true, false},
                           {"sinks", &Attend::sinks, true, true, true},
                           {"lengths", &Attend::lengths, false, false, true},
                           {"query_relative", &Attend::query_relative, true, false, false},
                           {"key_relative", &Attend::key_relative, true, false, false}};

/// The last dimension of a hook by distance.
void check_distances(Types operands, size_t index, Shape wanted) {
  check_rank(operands, index, wanted.size() + 1);
  const int64_t distances = check_number(operands, index, wanted.size());
  wanted.emplace_back(distances);
  check_shape(operands, index, wanted);
  if (distances % 2 == 0) fail_operand(index, operands[index], "has no middle: its distances are -reach … reach");
}

void check_hook(Types operands, size_t index, std::string_view name) {
  const Dim tokens = operands[0][0], heads = operands[0][1];
  check_format(operands, index, name == "lengths" ? Format::i32 : Format::f32);
  if (name == "lengths") return check_shape(operands, index, {kSequences});
  if (name == "relative") return check_distances(operands, index, {heads});
  if (name.ends_with("_relative")) return check_distances(operands, index, {heads, tokens});
  check_shape(operands, index, {heads});
}

void check_hooks(Types operands, const Attrs& attrs, size_t first) {
  const std::string& cache = attrs.text("cache");
  size_t next = first;
  for (const Hook& hook : kHooks) {
    if (!attrs.has(hook.name)) continue;
    if (!(cache == "none" ? hook.none : cache == "paged" ? hook.paged : hook.source))
      throw ShapeError("attention with the cache \"" + cache + "\" has no " + std::string(hook.name));
    const auto index = static_cast<size_t>(attrs.integer(hook.name));
    if (index != next++ || index >= operands.size())
      throw ShapeError("the operand of " + std::string(hook.name) + " is not where the hooks are");
    check_hook(operands, index, hook.name);
  }
  check_count(operands, next);
  if (attrs.has("query_relative") && attrs.has("key_relative"))
    check_shape(operands, next - 1, operands[next - 2].shape);
  if (attrs.integer_or("window", 1) < 1) throw ShapeError("a window is of one token at least");
  if (cache == "source" && attrs.has("window")) throw ShapeError("attention over a source has no window");
}

std::vector<Type> infer(Types operands, const Attrs& attrs) {
  attrs.number("scale");
  attrs.integer("causal");
  const std::string& cache = attrs.text("cache");
  const size_t own = cache == "none" ? 4 : cache == "paged" ? 8 : 5;
  check_count(operands, own, own + std::size(kHooks));
  check_format(operands, 0, Format::f32);
  check_rank(operands, 0, 3);
  check_hooks(operands, attrs, own);
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

/// Keys per query: a sequence's share of the step, the bound of its page table, or its source.
Cost cost(const Node& node, Types o, const SymbolValues& sizes) {
  const std::string& cache = node.attrs.text("cache");
  const double tokens = static_cast<double>(o[0][0].at(sizes));
  const double sequences = static_cast<double>(std::max<int64_t>(1, sizes[Symbol::sequences]));
  const Type& keys = cache == "paged" ? o[3] : o[1];
  double length = tokens / sequences * (node.attrs.integer("causal") != 0 ? 0.5 : 1.0);
  if (cache == "paged") length = static_cast<double>((o[7][1] * keys[3].number()).number());
  if (cache == "source") length = static_cast<double>(keys[3].at(sizes));
  if (const int64_t window = node.attrs.integer_or("window", 0); window > 0)
    length = std::min(length, static_cast<double>(window));
  const double width = static_cast<double>(o[0][1].number() * o[0][2].number());
  const double kv_width = static_cast<double>(keys[1].number() * o[0][2].number());
  return {.flops = 4 * tokens * width * length,
          .bytes = 8 * tokens * (width + kv_width) + 2 * sequences * length * kv_width * info(keys.format).block_bytes};
}

std::vector<Value> attend_node(std::vector<Value> operands, std::string cache, const Attend& how) {
  Attrs attrs{{"cache", std::move(cache)}, {"scale", how.scale}, {"causal", static_cast<int64_t>(how.causal)}};
  if (how.window != 0) attrs.set("window", how.window);
  if (how.soft_cap != 0) attrs.set("soft_cap", how.soft_cap);
  for (const Hook& hook : kHooks) {
    const Value operand = how.*hook.value;
    if (!operand) continue;
    attrs.set(hook.name, static_cast<int64_t>(operands.size()));
    operands.push_back(operand);
  }
  return append_all(op::attend, std::move(operands), std::move(attrs));
}

}  // namespace

const OpInfo op::attend{.name = "attend",
                        .kind = Kind::composite,
                        .infer = infer,
                        .expand = expand_attend,
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
