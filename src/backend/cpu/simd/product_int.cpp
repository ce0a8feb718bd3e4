// Products of q8_act rows with integer weights in Layout::interleave16. A tile holds 16 weights × 32 columns; its codes
// are unsigned around a zero point, so a block's sum starts at -zero · Σ(activation codes), which q8_act holds for the
// zero point 128, and is exact. Sums are scaled by the weights' scales block after block, those of a group of blocks
// that share the activations' scale by that: part = fma(float(sum), w_scale, part), y = fma(part, x_scale, y).

#include "backend/cpu/simd/blocking.h"
#include "backend/cpu/simd/dot.h"
#include "backend/cpu/simd/isa.h"

namespace braid::cpu::BRAID_ISA {
namespace {

constexpr int kVectors = kTile / kLanes;  // vectors that hold one number per weight of a tile
constexpr int kGroups = 8;                // groups of four columns in a block

// The weight classes. `codes` gives group g (four columns) of vector v, around the zero point 128 >> kZeroShift.
// kFetch: several rows read from memory gain by prefetching (one row always does: the hardware looks less far ahead).
// kStreams: rows of tiles beside one row. kScales: the scales lie in scratch, widened.
struct Q8 {
  static constexpr bool kFetch = false, kScales = false;
  static constexpr int kStreams = 4;
  static constexpr int kZeroShift = 0;
  static constexpr int64_t kBytes = kTile * 2 + kTile * kBlock;
  BRAID_INLINE F scale(const std::byte* tile, int v) { return from_f16(load<H>(tile + 2 * kLanes * v)); }
  BRAID_INLINE I codes(const std::byte* tile, int g, int v) {
    return load<I>(tile + 2 * kTile + 64 * g + 4 * kLanes * v);
  }
};
struct Q4 {
  static constexpr bool kFetch = true, kScales = false;
  static constexpr int kStreams = 8;
  static constexpr int kZeroShift = 4;
  static constexpr int64_t kBytes = kTile * 2 + kTile * kBlock / 2;
  BRAID_INLINE F scale(const std::byte* tile, int v) { return from_f16(load<H>(tile + 2 * kLanes * v)); }
  BRAID_INLINE I codes(const std::byte* tile, int g, int v) {
    const I both = load<I>(tile + 2 * kTile + 64 * (g % 4) + 4 * kLanes * v);
    return (g < 4 ? both : both >> 4) & 0x0f0f0f0f;
  }
};

// What many rows read: scales in f32, and codes of a byte around 128, so that sums start without arithmetic. A code of
// four bits stands in the high half of its byte and counts 16 times; its scale is a 16th.
template <class W>
struct Many {
  static constexpr bool kFetch = false, kScales = true;
  static constexpr int kZeroShift = 0;
  static constexpr int64_t kBytes = kTile * kBlock;
  BRAID_INLINE I codes(const std::byte* tile, int g, int v) { return load<I>(tile + 64 * g + 4 * kLanes * v); }
  BRAID_INLINE void unpack(const std::byte* tile, float* scales, std::byte* to) {
    const F unit = splat(W::kZeroShift == 0 ? 1.0f : 0x1p-4f);
    for (int v = 0; v < kVectors; ++v) store(scales + kLanes * v, W::scale(tile, v) * unit);
    for (int g = 0; g < kGroups; ++g) {
      for (int v = 0; v < kVectors; ++v) store(to + 64 * g + 4 * kLanes * v, W::codes(tile, g, v) << W::kZeroShift);
    }
  }
};

constexpr int kRowTile = kManyRegisters && kVectors == 1 ? 6 : 3;
constexpr int kManyTiles = kVectors == 1 ? 2 : 1;  // tiles of weights beside kRowTile rows
constexpr int64_t kFewRows = 24;                   // up to here unpacking the weights for them does not pay

/// The activations: a row's codes, scales and starts.
struct Rows {
  const std::byte* x;
  int64_t row_bytes, k;
  const std::byte* scales() const { return x + k; }
  const std::byte* starts() const { return x + k + k / kBlock * 4; }
};

/// A place in each of R rows, by two pointers: what addresses of [base + 1, 2 × stride] reach from there needs no
/// register of its own. (The compiler, left alone, keeps a pointer per row and spills them inside the loop.)
template <int R>
struct Walk {
  const std::byte* low;
  const std::byte* high;
  int64_t stride;
  BRAID_FLATTEN Walk(const std::byte* at, int64_t s) : low(at), high(at + 3 * s), stride(s) {}
  template <int r>
  BRAID_FLATTEN const std::byte* at() const {
    return r < 3 ? low + r * stride : high + (r - 3) * stride;
  }
  BRAID_FLATTEN void advance(int64_t bytes) {
    low += bytes;
    if constexpr (R > 3) {
      high += bytes;
      asm("" : "+r"(high));  // not low + 3 × stride anew each time
    }
  }
};

/// Rows of tiles, `tile_row` bytes apart: blocks [begin, end) along K; begin begins a group.
struct Weights {
  const std::byte* w;  ///< block `begin` of the first row of tiles
  int64_t tile_row;
  int64_t begin, end;
  const float* scales = nullptr;  ///< with kScales: (rows of tiles, kManyDepth, 16), from `begin` on
};
/// `count` columns of each row; with Weights::begin > 0 they hold the sums so far.
struct Out {
  float* y;
  int64_t stride, count;
};

/// R rows × C tiles of weights, all columns of y there. The sums stay in y: a group of blocks is long enough to fetch
/// them, and the registers are full with the sums of a block and of a group.
template <class W, int R, int C>
void whole_tile(const Rows& rows, const Weights& weights, float* const y, const int64_t stride) {
  constexpr int kColumns = C * kVectors;
  const int64_t tile_row = W::kScales ? kManyDepth * W::kBytes : weights.tile_row, row = rows.row_bytes;
  const std::byte* w = weights.w;
  const float* w_scales = weights.scales;
  Walk<R> x{rows.x + kBlock * weights.begin, row}, starts{rows.starts() + 4 * weights.begin, row};
  Walk<R> scales{rows.scales() + 4 * weights.begin, row};
  for (int64_t b = weights.begin; b < weights.end; scales.advance(4 * kScaleBlocks)) {
    const bool first = b == 0;
    const int64_t group_end = lesser(b + kScaleBlocks, weights.end);
    F part[R * kColumns];
    unroll<R * kColumns>([&](auto i) BRAID_FLATTEN { part[i] = F{}; });
    for (; b < group_end; ++b) {
      if constexpr (R == 1 || W::kFetch) {
        constexpr int64_t kAhead = R == 1 ? 4096 : 1024;
        unroll<C>([&](auto c) BRAID_FLATTEN {
          for (int64_t line = 0; line < W::kBytes; line += 64) {
            __builtin_prefetch(w + c * tile_row + kAhead + line, 0, R == 1 ? 2 : 3);
          }
        });
      }
      I dots[R * kColumns];
      unroll<R>([&](auto r) BRAID_FLATTEN {
        const I start = splat_int(load<int32_t>(starts.template at<r.value>())) >> W::kZeroShift;
        unroll<kColumns>([&](auto c) BRAID_FLATTEN { dots[r * kColumns + c] = start; });
      });
      unroll<kGroups>([&](auto i) BRAID_FLATTEN {
        constexpr int g = i.value / 2 + (i.value % 2) * 4;  // 0 4 1 5 …: one load serves both nibbles
        I codes[kColumns];
        unroll<kColumns>([&](auto c) BRAID_FLATTEN {
          codes[c] = W::codes(w + c.value / kVectors * tile_row, g, c.value % kVectors);
        });
        unroll<R>([&](auto r) BRAID_FLATTEN {
          const I xs = splat_int(load<int32_t>(x.template at<r.value>() + 4 * g));
          unroll<kColumns>(
              [&](auto c) BRAID_FLATTEN { dots[r * kColumns + c] = dot_bytes(codes[c], xs, dots[r * kColumns + c]); });
        });
      });
      unroll<kColumns>([&](auto c) BRAID_FLATTEN {
        constexpr int tile = c.value / kVectors, vector = c.value % kVectors;
        F scale;
        if constexpr (W::kScales) {
          scale = load<F>(w_scales + tile * kManyDepth * kTile + vector * kLanes);
        } else {
          scale = W::scale(w + tile * tile_row, vector);
        }
        unroll<R>([&](auto r) BRAID_FLATTEN {
          part[r * kColumns + c] = fma(to_float(dots[r * kColumns + c]), scale, part[r * kColumns + c]);
        });
      });
      w += W::kBytes;
      w_scales += kTile;
      x.advance(kBlock);
      starts.advance(4);
    }
    unroll<R>([&](auto r) BRAID_FLATTEN {
      const F x_scale = splat(load<float>(scales.template at<r.value>()));
      unroll<kColumns>([&](auto c) BRAID_FLATTEN {
        float* to = y + r * stride + c * kLanes;
        store(to, fma(part[r * kColumns + c], x_scale, first ? F{} : load<F>(to)));
      });
    });
  }
}

/// The same where the last columns may be missing.
template <class W, int R, int C>
BRAID_INLINE void tile_product(const Rows& rows, const Weights& weights, const Out& out) {
  constexpr int64_t kWidth = C * kTile;
  if (out.count >= kWidth) return whole_tile<W, R, C>(rows, weights, out.y, out.stride);
  float sums[R * kWidth];
  for (int64_t r = 0; weights.begin > 0 && r < R; ++r) {
    for (int64_t i = 0; i < out.count; ++i) sums[r * kWidth + i] = out.y[r * out.stride + i];
    for (int64_t i = out.count; i < kWidth; ++i) sums[r * kWidth + i] = 0;
  }
  whole_tile<W, R, C>(rows, weights, sums, kWidth);
  for (int64_t r = 0; r < R; ++r) {
    for (int64_t i = 0; i < out.count; ++i) out.y[r * out.stride + i] = sums[r * kWidth + i];
  }
}

/// What is read next: `rows` rows of `bytes` bytes. It comes into the L2 cache meanwhile, a part with each tile.
struct Ahead {
  const std::byte* at = nullptr;
  int64_t row_bytes = 0, bytes = 0, rows = 0, done = 0;
  BRAID_INLINE void fetch(Ahead& a, int64_t share) {
    for (int64_t end = lesser(a.done + share, a.bytes); a.done < end; a.done += 64) {
      for (int64_t r = 0; r < a.rows; ++r) __builtin_prefetch(a.at + r * a.row_bytes + a.done, 0, 2);
    }
  }
};

/// All rows of the call times `tiles` rows of tiles that begin at w.
template <class W>
void rows_of_tiles(const Product& p, const Weights& weights, int tiles, Out out, Ahead ahead = {}) {
  Rows rows{p.x, static_cast<int64_t>(p.x_row_bytes), p.k};
  const int64_t share = ahead.bytes * kRowTile / p.rows;
  const auto some = [&](auto n) BRAID_FLATTEN {
    Ahead::fetch(ahead, share);
    if (tiles == kManyTiles) {
      tile_product<W, n.value, kManyTiles>(rows, weights, out);
    } else {
      tile_product<W, n.value, 1>(rows, weights, out);
    }
    rows.x += n * p.x_row_bytes;
    out.y += n * out.stride;
  };
  int64_t left = p.rows;
  while (left > 0) {
    if constexpr (kRowTile > 4) {
      // 7 and 8 rows are better cut in halves.
      if (left >= kRowTile && left != 7 && left != 8) {
        some(Index<kRowTile>{});
        left -= kRowTile;
        continue;
      }
      if (left >= 4) {
        some(Index<4>{});
        left -= 4;
        continue;
      }
    }
    switch (lesser(left, 3)) {
      case 1:
        some(Index<1>{});
        break;
      case 2:
        some(Index<2>{});
        break;
      default:
        some(Index<3>{});
        break;
    }
    left -= lesser(left, 3);
  }
}

/// At most kManyRows rows: a slice of K of them stays in the L2 cache while the call's weights pass by; of these, a
/// panel of kManyTiles rows of tiles is unpacked, slice by slice, into what stays in L1 while the rows pass. The sums
/// so far wait in y.
template <class W>
void many_rows(const Product& p) {
  const int64_t blocks = p.k / kBlock, tile_row = blocks * W::kBytes;
  constexpr int64_t kCodes = kManyDepth * Many<W>::kBytes;
  std::byte* codes = p.scratch + (-reinterpret_cast<uintptr_t>(p.scratch) & (kMaxVectorBytes - 1));
  auto* scales = reinterpret_cast<float*>(codes + kManyTiles * kCodes);
  for (int64_t begin = 0; begin < blocks; begin += kManyDepth) {
    const int64_t end = lesser(begin + kManyDepth, blocks);
    for (int64_t n = p.n_begin; n < p.n_end; n += kManyTiles * kTile) {
      const int64_t count = lesser(p.n_end - n, kManyTiles * kTile);
      const int tiles = static_cast<int>((count + kTile - 1) / kTile);
      for (int64_t t = 0; t < tiles; ++t) {
        const std::byte* from = p.w + (n / kTile + t) * tile_row;
        for (int64_t b = begin; b < end; ++b) {
          Many<W>::unpack(from + b * W::kBytes, scales + (t * kManyDepth + b - begin) * kTile,
                          codes + t * kCodes + (b - begin) * Many<W>::kBytes);
        }
      }
      const bool down = n + kManyTiles * kTile < p.n_end;  // the next panel of this slice, or the first of the next one
      const int64_t next = (down ? n : p.n_begin) / kTile + (down ? kManyTiles : 0), first = down ? begin : end;
      rows_of_tiles<Many<W>>(p, {codes, kCodes, begin, end, scales}, tiles, {p.y + (n - p.n_begin), p.y_stride, count},
                             {.at = p.w + next * tile_row + first * W::kBytes,
                              .row_bytes = tile_row,
                              .bytes = kManyDepth * W::kBytes,
                              .rows = kManyTiles});
    }
  }
}

/// Bound by memory: N rows of tiles at once, since one core draws more from several streams than from one.
template <class W, int N>
BRAID_INLINE void one_row(const Product& p, int64_t n) {
  const Rows rows{p.x, static_cast<int64_t>(p.x_row_bytes), p.k};
  const int64_t blocks = p.k / kBlock, tile_row = blocks * W::kBytes;
  for (; N == 1 ? n < p.n_end : p.n_end - n >= N * kTile; n += N * kTile) {
    const Weights weights{p.w + n / kTile * tile_row, tile_row, 0, blocks};
    tile_product<W, 1, N>(rows, weights, {p.y + (n - p.n_begin), 0, p.n_end - n});
  }
  if constexpr (N > 1) one_row<W, N / 2>(p, n);
}

template <class W>
BRAID_INLINE void product(const Product& p) {
  if (p.rows == 1) return one_row<W, (kVectors == 1 ? W::kStreams : 1)>(p, p.n_begin);
  if (p.rows > kFewRows) {
    Product part = p;
    const int64_t parts = (p.rows + kManyRows - 1) / kManyRows, rows = (p.rows + parts - 1) / parts;
    for (int64_t row = 0; row < p.rows; row += part.rows) {
      part.x = p.x + static_cast<size_t>(row) * p.x_row_bytes;
      part.y = p.y + row * p.y_stride;
      part.rows = lesser(rows, p.rows - row);
      many_rows<W>(part);
    }
    return;
  }
  const int64_t blocks = p.k / kBlock, tile_row = blocks * W::kBytes;
  for (int64_t n = p.n_begin; n < p.n_end; n += kManyTiles * kTile) {
    const int64_t count = lesser(p.n_end - n, kManyTiles * kTile);
    const int tiles = static_cast<int>((count + kTile - 1) / kTile);
    rows_of_tiles<W>(p, {p.w + n / kTile * tile_row, tile_row, 0, blocks}, tiles,
                     {p.y + (n - p.n_begin), p.y_stride, count});
  }
}

}  // namespace

void product_q8_0(const Product& p) { product<Q8>(p); }
void product_q4_0(const Product& p) { product<Q4>(p); }

}  // namespace braid::cpu::BRAID_ISA
