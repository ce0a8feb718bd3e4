// Attention over paged keys and values: online softmax (arXiv:1805.02867) in one pass. Page by page, the queries go by
// in tiles of a few (row, head) pairs; a page's scores are vectors along keys, its output vectors along head_dim. Every
// sum of a query is taken in the order of d or of keys, whatever tile it is in.

#include "backend/cpu/simd/elements.h"
#include "backend/cpu/simd/isa.h"
#include "backend/cpu/simd/math.h"

namespace braid::cpu::BRAID_ISA {
namespace {

constexpr int64_t kConvertQueries = 4 * kTileRows;  // from here a 16-bit page is widened once, into scratch

/// Queries of a tile: pointers per query.
struct Tile {
  const float* q[kTileRows];
  float* acc[kTileRows];
  float* max[kTileRows];
  float* sum[kTileRows];
  int64_t first[kTileRows];  ///< keys [first, keys) of the page are what the query sees
  int64_t keys[kTileRows];
  int64_t distance[kTileRows];  ///< from the query to key 0 of the page
  int64_t head[kTileRows];      ///< of the group
  int64_t row[kTileRows];
};

/// The keys of a page: (head_dim, size).
struct Page {
  const std::byte* k;
  int64_t head_dim, size;
};

/// Scores of keys [first, first + V vectors) of a page for T queries; s[t * s_row + key].
template <class C, int T, int V, bool kPart>
void scores(const Tile& tile, const Page& page, int64_t first, float* s, int64_t s_row) {
  F acc[T * V];
  unroll<T * V>([&](auto i) BRAID_FLATTEN { acc[i] = F{}; });
  multiply<C, T, V, kPart>(tile.q, page.k + first * C::kElementBytes, page.size, page.head_dim, page.size - first, acc);
  unroll<T>([&](auto t) BRAID_FLATTEN {
    unroll<V>([&](auto v) BRAID_FLATTEN { store(s + t * s_row + first + v * kLanes, acc[t * V + v]); });
  });
}

/// What a page adds to the outputs of some queries.
struct Weighted {
  float* const* acc;
  const float* const* p;    ///< weights of the keys, per query
  const float* factor;      ///< of what was accumulated before, per query
  const std::byte* values;  ///< (keys, head_dim)
  int64_t head_dim, keys;
};

/// acc[t][d…] = acc[t][d…] · factor[t] + Σ_key p[t][key] v[key][d…].
template <class C, int T, int V, bool kPart>
void outputs(const Weighted& o, int64_t d) {
  F acc[T * V];
  unroll<T>([&](auto t) BRAID_FLATTEN {
    unroll<V>([&](auto v) BRAID_FLATTEN {
      const float* from = o.acc[t] + d + v * kLanes;
      acc[t * V + v] = (kPart ? load_part<F>(from, o.head_dim - d) : load<F>(from)) * o.factor[t];
    });
  });
  multiply<C, T, V, kPart>(o.p, o.values + d * C::kElementBytes, o.head_dim, o.keys, o.head_dim - d, acc);
  unroll<T>([&](auto t) BRAID_FLATTEN {
    unroll<V>([&](auto v) BRAID_FLATTEN {
      float* to = o.acc[t] + d + v * kLanes;
      if (kPart) {
        store_part(to, acc[t * V + v], o.head_dim - d);
      } else {
        store(to, acc[t * V + v]);
      }
    });
  });
}

template <class C, int T>
void all_outputs(const Weighted& o) {
  int64_t d = 0;
  for (; d + kTileVectors * kLanes <= o.head_dim; d += kTileVectors * kLanes) {
    outputs<C, T, kTileVectors, false>(o, d);
  }
  for (; d + kLanes <= o.head_dim; d += kLanes) outputs<C, T, 1, false>(o, d);
  if (d < o.head_dim) outputs<C, T, 1, true>(o, d);
}

/// What the rows of query and keys add by distance.
void add_by_row(const Attention& a, const Tile& tile, int t, float* s) {
  const int64_t width = 2 * a.row_reach + 1, least = -a.row_reach, of_head = tile.head[t] * a.by_row_stride;
  const int64_t first_key = tile.distance[t] + a.first_position + tile.row[t];  // position of key 0 of the page
  for (int64_t i = 0; i < tile.keys[t]; ++i) {
    const int64_t distance = tile.distance[t] + i;
    const int64_t place = (distance < least ? least : lesser(distance, a.row_reach)) + a.row_reach + of_head;
    if (a.query_relative != nullptr) s[i] += a.query_relative[place + tile.row[t] * width];
    if (a.key_relative != nullptr) s[i] += a.key_relative[place + (first_key + i) * width];
  }
}

/// Products q·k of query t with the first `tile.keys[t]` keys of a page → scores.
void finish_scores(const Attention& a, const Tile& tile, int t, float* s) {
  const int64_t keys = tile.keys[t];
  if (a.soft_cap > 0) {
    const F cap = splat(a.soft_cap), inside = splat(a.scale / a.soft_cap);
    for (int64_t i = 0; i < keys; i += kLanes) store(s + i, tanh(load<F>(s + i) * inside) * cap);
  } else {
    for (int64_t i = 0; i < keys; i += kLanes) store(s + i, load<F>(s + i) * splat(a.scale));
  }
  if (a.slopes != nullptr) {
    const float slope = a.slopes[tile.head[t]];
    for (int64_t i = 0; i < keys; ++i) s[i] += slope * static_cast<float>(tile.distance[t] + i);
  }
  if (a.relative != nullptr) {
    const float* bias = a.relative + tile.head[t] * (2 * a.reach + 1) + a.reach;
    for (int64_t i = 0; i < keys; ++i) {
      const int64_t distance = tile.distance[t] + i, least = -a.reach;
      s[i] += bias[distance < least ? least : lesser(distance, a.reach)];
    }
  }
  if (a.query_relative != nullptr || a.key_relative != nullptr) add_by_row(a, tile, t, s);
}

/// Scores → exp(score - max) in place, for the keys that query t sees, zeros before them; updates the query's maximum
/// and sum. Returns the factor for what was accumulated before.
float soften(const Tile& tile, int t, float* s) {
  const F lowest = splat(-__builtin_inff());
  const int64_t first = tile.first[t], keys = tile.keys[t];
  float *max = tile.max[t], *sum = tile.sum[t];
  F best = lowest;
  for (int64_t i = 0; i < keys; i += kLanes) {
    F x = load<F>(s + i);
    if (i < first) x = iota() < splat_int(static_cast<int32_t>(first - i)) ? lowest : x;
    if (i + kLanes > keys) x = iota() < splat_int(static_cast<int32_t>(keys - i)) ? x : lowest;
    store(s + i, x);
    best = larger(best, x);
  }
  const float before = *max, found = fold_max(best), now = found > before ? found : before;
  F total{};
  for (int64_t i = 0; i < keys; i += kLanes) {
    const F e = exp(load<F>(s + i) - splat(now));
    store(s + i, e);
    total += e;
  }
  const float factor = exp(splat(before - now))[0];
  *max = now;
  *sum = *sum * factor + fold(total);
  return factor;
}

/// One page for T queries.
template <class C, int T>
void tile_page(const Attention& a, const Tile& tile, const std::byte* k, const std::byte* v) {
  int64_t most = 0, least = a.page_size;
  for (int t = 0; t < T; ++t) {
    most = tile.keys[t] > most ? tile.keys[t] : most;
    least = lesser(least, tile.keys[t]);
  }
  if (most <= 0) return;
  const int64_t s_row = (a.page_size + kLanes - 1) / kLanes * kLanes;
  float* s = a.scratch;
  int64_t key = 0;
  for (; key < most && key + kTileVectors * kLanes <= a.page_size; key += kTileVectors * kLanes) {
    scores<C, T, kTileVectors, false>(tile, {k, a.head_dim, a.page_size}, key, s, s_row);
  }
  for (; key < most && key + kLanes <= a.page_size; key += kLanes) {
    scores<C, T, 1, false>(tile, {k, a.head_dim, a.page_size}, key, s, s_row);
  }
  if (key < most) scores<C, T, 1, true>(tile, {k, a.head_dim, a.page_size}, key, s, s_row);

  const float* p[T];
  float factor[T];
  for (int t = 0; t < T; ++t) {
    p[t] = s + t * s_row;
    factor[t] = 1;
    if (tile.keys[t] <= 0) continue;
    finish_scores(a, tile, t, s + t * s_row);
    factor[t] = soften(tile, t, s + t * s_row);
  }
  if (least < 0) least = 0;
  all_outputs<C, T>({tile.acc, p, factor, v, a.head_dim, least});
  if (least == most) return;
  for (int t = 0; t < T; ++t) {  // the diagonal: keys that only some of the queries see
    if (tile.keys[t] <= least) continue;
    const float* rest = p[t] + least;
    const float one = 1;
    all_outputs<C, 1>(
        {&tile.acc[t], &rest, &one, v + least * a.head_dim * C::kElementBytes, a.head_dim, tile.keys[t] - least});
  }
}

/// One page for all queries; `keys` of the page exist, the first at position `start`.
template <class C>
void page(const Attention& a, const std::byte* k, const std::byte* v, int64_t start, int64_t keys) {
  const int64_t queries = a.rows * a.group;
  int64_t first = 0;
  if (a.causal && start > a.first_position) first = lesser(start - a.first_position, a.rows) * a.group;
  const auto some = [&](auto count) BRAID_FLATTEN {
    Tile tile;
    for (int t = 0; t < count; ++t) {
      const int64_t row = (first + t) / a.group, head = (first + t) % a.group;
      tile.q[t] = a.q + row * a.q_row_stride + head * a.head_dim;
      tile.acc[t] = a.acc + row * a.acc_row_stride + head * a.head_dim;
      tile.max[t] = a.max + first + t;
      tile.sum[t] = a.sum + first + t;
      tile.head[t] = head;
      tile.row[t] = row;
      tile.distance[t] = start - (a.first_position + row);
      const int64_t ahead = a.causal ? 1 : a.window;  // distances below this are seen; 0: all
      tile.keys[t] = ahead > 0 ? lesser(keys, ahead - tile.distance[t]) : keys;
      tile.first[t] = a.window > 0 ? 1 - a.window - tile.distance[t] : 0;
      if (tile.first[t] >= tile.keys[t]) tile.keys[t] = 0;
    }
    tile_page<C, count.value>(a, tile, k, v);
    first += count;
  };
  while (queries - first >= kTileRows) some(Index<kTileRows>{});
  if constexpr (kTileRows > 4) {
    if (queries - first >= 4) some(Index<4>{});
  }
  if (queries - first >= 2) some(Index<2>{});
  if (queries - first >= 1) some(Index<1>{});
}

template <class C>
void widen_page(const std::byte* from, float* to, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, C::whole(from + i * C::kElementBytes));
  if (i < n) store_part(to + i, C::part(from + i * C::kElementBytes, n - i), n - i);
}

template <class C>
BRAID_INLINE void pages(const Attention& a) {
  const int64_t queries = a.rows * a.group, elements = a.head_dim * a.page_size;
  const bool convert = C::kElementBytes != 4 && queries >= kConvertQueries;
  float* widened = a.scratch + kTileRows * ((a.page_size + kLanes - 1) / kLanes * kLanes);
  for (int64_t row = 0; row < a.rows; ++row) {
    for (int64_t i = 0; i < a.group * a.head_dim; ++i) a.acc[row * a.acc_row_stride + i] = 0;
  }
  for (int64_t i = 0; i < queries; ++i) {
    a.max[i] = -__builtin_inff();
    a.sum[i] = 0;
  }
  int64_t begin = a.key_begin, end = a.key_end;
  if (a.causal || a.window > 0) end = lesser(end, a.first_position + a.rows - 1 + (a.causal ? 1 : a.window));
  if (const int64_t unseen = a.first_position + 1 - a.window; a.window > 0 && unseen > begin)
    begin = unseen / a.page_size * a.page_size;  // pages wholly before the window of row 0 are not touched
  for (int64_t start = begin; start < end; start += a.page_size) {
    const size_t offset = static_cast<size_t>(a.pages[start / a.page_size]) * a.page_bytes;
    const std::byte *k = a.k + offset, *v = a.v + offset;
    const int64_t keys = lesser(a.page_size, a.key_end - start);
    if (convert) {
      widen_page<C>(k, widened, elements);
      widen_page<C>(v, widened + elements, keys * a.head_dim);
      page<FromF32>(a, reinterpret_cast<const std::byte*>(widened),
                    reinterpret_cast<const std::byte*>(widened + elements), start, keys);
    } else {
      page<C>(a, k, v, start, keys);
    }
  }
}

}  // namespace

void attention(const Attention& a) {
  switch (a.cache) {
    case Format::bf16:
      return pages<FromBf16>(a);
    case Format::f16:
      return pages<FromF16>(a);
    default:
      return pages<FromF32>(a);
  }
}

void merge_attention(const AttentionParts& parts, float* out) {
  float best = parts.sink != nullptr ? *parts.sink : parts.max[0];
  for (int64_t p = 0; p < parts.count; ++p) {
    const float m = parts.max[p * parts.scalar_stride];
    best = m > best ? m : best;
  }
  float total = parts.sink != nullptr ? exp(splat(*parts.sink - best))[0] : 0;
  for (int64_t d = 0; d < parts.head_dim; ++d) out[d] = 0;
  for (int64_t p = 0; p < parts.count; ++p) {
    const float part = parts.sum[p * parts.scalar_stride];
    if (part == 0) continue;  // no key was seen
    const float factor = exp(splat(parts.max[p * parts.scalar_stride] - best))[0];
    total += part * factor;
    for (int64_t d = 0; d < parts.head_dim; ++d) out[d] += parts.acc[p * parts.acc_stride + d] * factor;
  }
  const float inverse = total > 0 ? 1.0f / total : 0.0f;
  for (int64_t d = 0; d < parts.head_dim; ++d) out[d] = total > 0 ? out[d] * inverse : (total == 0 ? 0.0f : total);
}

}  // namespace braid::cpu::BRAID_ISA
