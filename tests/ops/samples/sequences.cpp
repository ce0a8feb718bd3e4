// Ops over ragged batches: attention and recurrences, with and without states.
#include <array>

#include "ops/samples/samples.h"

namespace braid::samples {
namespace {

const Dim kTokens(Symbol::tokens), kSequences(Symbol::sequences);

/// One token alone; one whole prompt; decoding next to prefill, with a sequence that brings nothing; contexts at,
/// before and after the end of a page of four.
const Batch kBatches[] = {
    {{1}, {0}, {0}},
    {{9}, {0}, {2}},
    {{1}, {7}, {1}},
    {{1, 5, 0, 3}, {6, 0, 3, 4}, {3, 0, 4, 1}},
    {{1, 1, 1}, {3, 4, 15}, {4, 1, 0}},
};

std::string text_of(const Batch& batch) {
  std::string text;
  for (size_t s = 0; s < batch.spans.size(); ++s)
    text += " " + std::to_string(batch.contexts[s]) + "+" + std::to_string(batch.spans[s]);
  return text;
}

struct Heads {
  int64_t heads, kv_heads, head_dim;
};
constexpr Heads kHeads[] = {{1, 1, 4}, {6, 2, 16}, {4, 4, 33}, {8, 1, 64}};

/// A dot product, a softmax and a weighted sum; exp counts as in elementwise.cpp.
double attend_roundings(const Heads& h) { return static_cast<double>(h.head_dim) + 64 + 32; }

/// Windows of one key, within a page and over several; each hook alone, and all of them together.
struct Hooks {
  const char* name;
  int64_t window;
  double soft_cap;
  bool slopes;
  int64_t reach;  ///< 0: no relative bias
  bool sinks;
};
constexpr Hooks kHooks[] = {{" window 1", 1, 0, false, 0, false}, {" window 3", 3, 0, false, 0, false},
                            {" window 6", 6, 0, false, 0, false}, {" capped", 0, 1.5, false, 0, false},
                            {" alibi", 0, 0, true, 0, false},     {" relative", 0, 0, false, 3, false},
                            {" sinks", 0, 0, false, 0, true},     {" all hooks", 5, 1.5, true, 2, true}};

void attention_hooks(std::vector<Sample>& samples, const Batch& batch, const Heads& h, const std::string& name) {
  for (const Hooks& hooks : kHooks)
    for (const std::string form : {"causal", "both ways", "paged"}) {
      constexpr int64_t kPageSize = 4, kPages = 17, kMaxPages = 5;
      SymbolValues sizes = batch.sizes();
      if (form == "paged") sizes[Symbol::pages] = kPages;
      Maker m("attend " + form + hooks.name + name, op::attend, sizes);
      Value q = m.input({kTokens, h.heads, h.head_dim}), k = m.input({kTokens, h.kv_heads, h.head_dim}),
            v = m.input({kTokens, h.kv_heads, h.head_dim});
      Attend how{.scale = 0.3, .causal = form != "both ways", .window = hooks.window, .soft_cap = hooks.soft_cap};
      if (hooks.slopes) how.slopes = m.uniform({h.heads}, 0, 0.5f);
      if (hooks.reach > 0) how.relative = m.input({h.heads, 2 * hooks.reach + 1});
      if (hooks.sinks) how.sinks = m.input({h.heads});
      if (form != "paged") {
        samples.push_back(m.finish({attend(q, k, v, m.span_start(batch), how)}, attend_roundings(h)));
        continue;
      }
      const Dim pages(Symbol::pages);
      Paged paged{.k_state = m.state({pages, h.kv_heads, h.head_dim, kPageSize}, Lifetime::token),
                  .v_state = m.state({pages, h.kv_heads, kPageSize, h.head_dim}, Lifetime::token),
                  .span_start = m.span_start(batch),
                  .context = m.context(batch),
                  .page_table = m.page_table(batch, kPageSize, kPages, kMaxPages)};
      Attended a = attend_paged(q, k, v, paged, how);
      m.keep(paged.k_state, a.k_state);
      m.keep(paged.v_state, a.v_state);
      samples.push_back(m.finish({a.y}, attend_roundings(h)));
    }
}

/// Biases by the rows of queries and keys, alone and together.
void attention_by_row(std::vector<Sample>& samples, const Batch& batch, const Heads& h, const std::string& name) {
  for (const bool by_query : {true, false})
    for (const bool by_key : {true, false}) {
      if (!by_query && !by_key) continue;
      Maker m("attend" + std::string(by_query ? " by query" : "") + (by_key ? " by key" : "") + name, op::attend,
              batch.sizes());
      Value q = m.input({kTokens, h.heads, h.head_dim}), k = m.input({kTokens, h.kv_heads, h.head_dim}),
            v = m.input({kTokens, h.kv_heads, h.head_dim});
      Attend how{.scale = 0.3, .causal = false};
      if (by_query) how.query_relative = m.input({h.heads, kTokens, 5});
      if (by_key) how.key_relative = m.input({h.heads, kTokens, 5});
      samples.push_back(m.finish({attend(q, k, v, m.span_start(batch), how)}, attend_roundings(h)));
    }
}

void attention(std::vector<Sample>& samples) {
  for (const Batch& batch : kBatches)
    for (const Heads& h : kHeads) {
      const std::string name = text_of(batch) + " heads " + std::to_string(h.heads) + "/" + std::to_string(h.kv_heads) +
                               " of " + std::to_string(h.head_dim);
      const double scale = 0.3;
      for (bool causal : {true, false}) {
        Maker m("attend" + std::string(causal ? "" : " both ways") + name, op::attend, batch.sizes());
        Value q = m.input({kTokens, h.heads, h.head_dim}), k = m.input({kTokens, h.kv_heads, h.head_dim}),
              v = m.input({kTokens, h.kv_heads, h.head_dim});
        Value y = attend(q, k, v, m.span_start(batch), {.scale = scale, .causal = causal});
        samples.push_back(m.finish({y}, attend_roundings(h)));
      }
      for (Format cache : {Format::f32, Format::f16, Format::bf16}) {
        SymbolValues sizes = batch.sizes();
        constexpr int64_t kPageSize = 4, kPages = 17, kMaxPages = 5;
        sizes[Symbol::pages] = kPages;
        Maker m("attend paged " + std::string(info(cache).name) + name, op::attend, sizes);
        Value q = m.input({kTokens, h.heads, h.head_dim}), k = m.input({kTokens, h.kv_heads, h.head_dim}),
              v = m.input({kTokens, h.kv_heads, h.head_dim});
        const Dim pages(Symbol::pages);
        Paged paged{.k_state = m.state({pages, h.kv_heads, h.head_dim, kPageSize}, Lifetime::token, cache),
                    .v_state = m.state({pages, h.kv_heads, kPageSize, h.head_dim}, Lifetime::token, cache),
                    .span_start = m.span_start(batch),
                    .context = m.context(batch),
                    .page_table = m.page_table(batch, kPageSize, kPages, kMaxPages)};
        Attended a = attend_paged(q, k, v, paged, {.scale = scale, .causal = true});
        m.keep(paged.k_state, a.k_state);
        m.keep(paged.v_state, a.v_state);
        samples.push_back(m.finish({a.y}, attend_roundings(h)));
      }
      if (h.heads > 1 && h.kv_heads > 1) attention_hooks(samples, batch, h, name);
      if (h.heads > 1 && h.kv_heads > 1) attention_by_row(samples, batch, h, name);
      for (const bool ragged : {false, true}) {
        SymbolValues sizes = batch.sizes();
        sizes[Symbol::source_slots] = 5;
        Maker m("attend source" + std::string(ragged ? " of own lengths" : "") + name, op::attend, sizes);
        Value q = m.input({kTokens, h.heads, h.head_dim});
        Value k_state = m.state({Symbol::source_slots, h.kv_heads, h.head_dim, 11}, Lifetime::source);
        Value v_state = m.state({Symbol::source_slots, h.kv_heads, 11, h.head_dim}, Lifetime::source);
        Attend how{.scale = scale, .causal = false};
        if (ragged) how.lengths = m.indices({kSequences}, 1, 11);
        Value y = attend_source(q, k_state, v_state, m.span_start(batch), m.slots(batch), how);
        samples.push_back(m.finish({y}, attend_roundings(h)));
      }
    }
}

void latents(std::vector<Sample>& samples) {
  struct Sizes {
    int64_t heads, width, value_width;
  };
  for (const Batch& batch : kBatches)
    for (const auto& [heads, width, value_width] : {Sizes{1, 5, 3}, {6, 40, 32}, {20, 33, 33}}) {
      const std::string name = text_of(batch) + " heads " + std::to_string(heads) + " of " + std::to_string(width);
      const double roundings = static_cast<double>(width) + 64 + 32;
      const AttendLatent how{.scale = 0.3, .value_width = value_width};
      {
        Maker m("attend_latent" + name, op::attend_latent, batch.sizes());
        const Value q = m.input({kTokens, heads, width}), latent = m.input({kTokens, width});
        samples.push_back(m.finish({attend_latent(q, latent, m.span_start(batch), {}, how).y}, roundings));
      }
      for (Format cache : {Format::f32, Format::f16, Format::bf16}) {
        constexpr int64_t kPageSize = 4, kPages = 17, kMaxPages = 5;
        SymbolValues sizes = batch.sizes();
        sizes[Symbol::pages] = kPages;
        Maker m("attend_latent paged " + std::string(info(cache).name) + name, op::attend_latent, sizes);
        const Value q = m.input({kTokens, heads, width}), latent = m.input({kTokens, width});
        const LatentPages pages{.state = m.state({Symbol::pages, width, kPageSize}, Lifetime::token, cache),
                                .context = m.context(batch),
                                .page_table = m.page_table(batch, kPageSize, kPages, kMaxPages)};
        const AttendedLatent a = attend_latent(q, latent, m.span_start(batch), pages, how);
        m.keep(pages.state, a.state);
        samples.push_back(m.finish({a.y}, roundings));
      }
    }
}

Recurrent pool_of(Maker& m, const Batch& batch, Shape row, bool stateful) {
  if (!stateful) return {};
  row.insert(row.begin(), Dim(Symbol::slots));
  return {m.state(std::move(row), Lifetime::sequence), m.slots(batch), m.context(batch)};
}

/// sum' = sum · decay + x; y = sum' - x.
std::shared_ptr<const Graph> decaying_sum(int64_t n) {
  Builder b;
  Value sum = b.input("sum", {{n}, Format::f32, {}}), x = b.input("x", {{n}, Format::f32, {}});
  Value decay = b.input("decay", {{n}, Format::f32, {}});
  Value next = sum * decay + x;
  b.output("sum", next);
  b.output("y", next - x);
  return std::make_shared<const Graph>(b.finish());
}

struct ScanSizes {
  int64_t channels, heads, groups, state, decays;
};
constexpr ScanSizes kScans[] = {{1, 1, 1, 1, 1}, {35, 35, 1, 16, 16}, {36, 6, 2, 17, 1}, {70, 10, 1, 16, 1}};

void recurrences(std::vector<Sample>& samples) {
  for (const Batch& batch : kBatches)
    for (bool stateful : {false, true}) {
      SymbolValues sizes = batch.sizes();
      sizes[Symbol::slots] = 5;
      const std::string name = (stateful ? " stateful" : "") + text_of(batch);
      auto finish = [&](Maker& m, const Recurrent& state, Value y, Value pool, double roundings) {
        if (stateful) m.keep(state.pool, pool);
        samples.push_back(m.finish({y}, roundings));
      };
      {
        // The second probe of the house: a recurrence whose carry lives in a state.
        Maker m("scan" + name, op::scan, sizes);
        Value x = m.input({kTokens, 33});
        Recurrent state = pool_of(m, batch, {33}, stateful);
        ScanOperands operands{.pools = {},
                              .slots = state.slots,
                              .context = state.context,
                              .span_start = m.span_start(batch),
                              .rows = {x},
                              .shared = {m.uniform({33}, 0, 1)}};
        if (stateful) operands.pools = {state.pool};
        ScanResults r = scan(m.builder(), operands, decaying_sum(33), 1);
        finish(m, state, r.rows[0], stateful ? r.pools[0] : Value{}, 32);
      }
      for (auto [channels, width] : {std::pair<int64_t, int64_t>{1, 2}, {33, 4}})
        for (bool bias : {false, true}) {
          Maker m("causal_conv " + std::to_string(channels) + (bias ? " bias" : "") + name, op::causal_conv, sizes);
          Value x = m.input({kTokens, channels}), w = m.weight({channels, width});
          Value b = bias ? m.weight({channels}) : Value{};
          Recurrent state = pool_of(m, batch, {channels, width - 1}, stateful);
          Recurred r = causal_conv(x, w, b, m.span_start(batch), state);
          finish(m, state, r.y, r.pool, 8);
        }
      for (auto [key_heads, heads, key_dim, value_dim] :
           {std::array<int64_t, 4>{1, 1, 1, 1}, {2, 6, 7, 19}, {3, 3, 16, 16}}) {
        Maker m("gated_delta " + std::to_string(heads) + name, op::gated_delta, sizes);
        const auto unit = [&](Value x) { return x * rsqrt(reduce_sum(x * x, -1, true)); };
        const GatedDelta o{.q = unit(m.input({kTokens, key_heads, key_dim})),
                           .k = unit(m.input({kTokens, key_heads, key_dim})),
                           .v = m.input({kTokens, heads, value_dim}),
                           .g = m.uniform({kTokens, heads}, -3, 0),
                           .beta = m.uniform({kTokens, heads}, 0, 1)};
        Recurrent state = pool_of(m, batch, {heads, key_dim, value_dim}, stateful);
        Recurred r = gated_delta(o, m.span_start(batch), state);
        finish(m, state, r.y, r.pool, 64 + 32);
      }
      for (const ScanSizes& n : kScans) {
        Maker m("selective_scan " + std::to_string(n.channels) + name, op::selective_scan, sizes);
        SelectiveScan o{.x = m.input({kTokens, n.channels}),
                        .dt = m.uniform({kTokens, n.heads}, 0.001f, 0.5f),
                        .a = m.uniform({n.heads, n.decays}, -4, -0.1f),
                        .b = m.input({kTokens, n.groups * n.state}),
                        .c = m.input({kTokens, n.groups * n.state}),
                        .d = m.input({n.heads}),
                        .groups = n.groups};
        Recurrent state = pool_of(m, batch, {n.channels, n.state}, stateful);
        Recurred r = selective_scan(o, m.span_start(batch), state);
        finish(m, state, r.y, r.pool, 64 + 32);
      }
    }
}

}  // namespace

std::vector<Sample> sequences() {
  std::vector<Sample> samples;
  for (const Batch& batch : kBatches) {
    Maker m("segment_of" + text_of(batch), op::segment_of, batch.sizes());
    samples.push_back(m.finish({segment_of(m.span_start(batch))}, 0));
  }
  attention(samples);
  latents(samples);
  recurrences(samples);
  return samples;
}

}  // namespace braid::samples
