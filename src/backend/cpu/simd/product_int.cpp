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
struct ManyQ8 : Q8 {
  static constexpr bool kScales = true;
  BRAID_INLINE void unpack(const std::byte* tile, float* scales, std::byte*) {
    for (int v = 0; v < kVectors; ++v) store(scales + kLanes * v, scale(tile, v));
  }
};
struct ManyQ4 {
  static constexpr bool kFetch = false, kScales = true;
  static constexpr int kZeroShift = 0;
  static constexpr int64_t kBytes = kTile * kBlock;
  BRAID_INLINE I codes(const std::byte* tile, int g, int v) { return load<I>(tile + 64 * g + 4 * kLanes * v); }
  BRAID_INLINE void unpack(const std::byte* tile, float* scales, std::byte* to) {
    for (int v = 0; v < kVectors; ++v) store(scales + kLanes * v, Q4::scale(tile, v) * splat(0x1p-4f));
    for (int g = 0; g < kGroups; ++g) {
      for (int v = 0; v < kVectors; ++v) store(to + 64 * g + 4 * kLanes * v, Q4::codes(tile, g, v) << 4);
    }
  }
};

/// The activations: a row's codes, scales and starts.
struct Rows {
  const std::byte* x;
  size_t row_bytes;
  int64_t k;
  BRAID_INLINE int32_t int_at(const std::byte* p) {
    int32_t value;
    __builtin_memcpy(&value, p, 4);
    return value;
  }
  BRAID_INLINE float float_at(const std::byte* p) {
    float value;
    __builtin_memcpy(&value, p, 4);
    return value;
  }
};

/// Rows of tiles, `tile_row` bytes apart, of which blocks [begin, end) along K are meant; begin begins a group.
struct Weights {
  const std::byte* w;  ///< block 0 of the first row of tiles
  int64_t tile_row;
  int64_t begin, end;
  const float* scales = nullptr;  ///< with kScales: (rows of tiles, blocks, 16)
};
/// `count` columns of each row; with Weights::begin > 0 they hold the sums so far.
struct Out {
  float* y;
  int64_t stride, count;
};

/// R rows × C tiles of weights.
template <class W, int R, int C>
void tile_product(const Rows& rows, const Weights& weights, const Out& out) {
  constexpr int kColumns = C * kVectors;
  const int64_t blocks = rows.k / kBlock, tile_row = weights.tile_row;
  const std::byte* w = weights.w + weights.begin * W::kBytes;
  const std::byte* scales = rows.x + rows.k;
  const std::byte* starts = scales + 4 * blocks;
  float* const y = out.y;
  const int64_t stride = out.stride, count = out.count;
  F acc[R * kColumns];
  unroll<R>([&](auto r) BRAID_FLATTEN {
    unroll<kColumns>([&](auto c) BRAID_FLATTEN {
      const int64_t left = lesser(count - c * kLanes, kLanes);
      const float* from = y + r * stride + c * kLanes;
      acc[r * kColumns + c] = weights.begin == 0 || left <= 0 ? F{}
                              : left == kLanes                ? load<F>(from)
                                                              : load_part<F>(from, left);
    });
  });
  for (int64_t b = weights.begin; b < weights.end;) {
    const int64_t group = b, group_end = lesser(b + kScaleBlocks, weights.end);
    F part[R * kColumns];
    unroll<R * kColumns>([&](auto i) BRAID_FLATTEN { part[i] = F{}; });
    for (; b < group_end; ++b, w += W::kBytes) {
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
        const I start = splat_int(Rows::int_at(starts + r * rows.row_bytes + 4 * b)) >> W::kZeroShift;
        unroll<kColumns>([&](auto c) BRAID_FLATTEN { dots[r * kColumns + c] = start; });
      });
      unroll<kGroups>([&](auto i) BRAID_FLATTEN {
        constexpr int g = i.value / 2 + (i.value % 2) * 4;  // 0 4 1 5 …: one load serves both nibbles
        I codes[kColumns];
        unroll<kColumns>([&](auto c) BRAID_FLATTEN {
          codes[c] = W::codes(w + c.value / kVectors * tile_row, g, c.value % kVectors);
        });
        unroll<R>([&](auto r) BRAID_FLATTEN {
          const I xs = splat_int(Rows::int_at(rows.x + r * rows.row_bytes + kBlock * b + 4 * g));
          unroll<kColumns>(
              [&](auto c) BRAID_FLATTEN { dots[r * kColumns + c] = dot_bytes(codes[c], xs, dots[r * kColumns + c]); });
        });
      });
      unroll<kColumns>([&](auto c) BRAID_FLATTEN {
        F scale;
        if constexpr (W::kScales) {
          scale = load<F>(weights.scales + (c.value / kVectors * blocks + b) * kTile + c.value % kVectors * kLanes);
        } else {
          scale = W::scale(w + c.value / kVectors * tile_row, c.value % kVectors);
        }
        unroll<R>([&](auto r) BRAID_FLATTEN {
          part[r * kColumns + c] = fma(to_float(dots[r * kColumns + c]), scale, part[r * kColumns + c]);
        });
      });
    }
    unroll<R>([&](auto r) BRAID_FLATTEN {
      const F x_scale = splat(Rows::float_at(scales + r * rows.row_bytes + 4 * group));
      unroll<kColumns>([&](auto c) BRAID_FLATTEN {
        acc[r * kColumns + c] = fma(part[r * kColumns + c], x_scale, acc[r * kColumns + c]);
      });
    });
  }
  unroll<R>([&](auto r) BRAID_FLATTEN {
    unroll<kColumns>([&](auto c) BRAID_FLATTEN {
      const int64_t left = lesser(count - c * kLanes, kLanes);
      float* to = y + r * stride + c * kLanes;
      if (left == kLanes) {
        store(to, acc[r * kColumns + c]);
      } else if (left > 0) {
        store_part(to, acc[r * kColumns + c], left);
      }
    });
  });
}

constexpr int kRowTile = kManyRegisters && kVectors == 1 ? 6 : 3;
constexpr int kManyTiles = kVectors == 1 ? 2 : 1;  // tiles of weights beside kRowTile rows
constexpr int64_t kFewRows = 24;                   // up to here unpacking the weights for them does not pay

/// All rows of the call times `tiles` rows of tiles that begin at w.
template <class W>
void rows_at_depth(const Product& p, const Weights& weights, int tiles, Out out) {
  Rows rows{p.x, p.x_row_bytes, p.k};
  const auto some = [&](auto n) BRAID_FLATTEN {
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

/// Many rows pass by a piece of the weights that stays in the L1 cache; few rows take all of K at once.
template <class W>
void all_rows(const Product& p, Weights weights, int tiles, const Out& out) {
  constexpr int64_t kDeep = 24;  // blocks: 2 × 24 tiles of at most 544 bytes, and their scales
  const int64_t blocks = p.k / kBlock, deep = p.rows > kFewRows ? kDeep : blocks;
  for (weights.begin = 0; weights.begin < blocks; weights.begin += deep) {
    weights.end = lesser(weights.begin + deep, blocks);
    rows_at_depth<W>(p, weights, tiles, out);
  }
}

/// Many rows: W's tiles are unpacked once for all of them.
template <class W, class Many>
void many_rows(const Product& p, const std::byte* w, int tiles, const Out& out) {
  const int64_t blocks = p.k / kBlock;
  std::byte* codes = p.scratch + (-reinterpret_cast<uintptr_t>(p.scratch) & (kMaxVectorBytes - 1));
  auto* scales = reinterpret_cast<float*>(codes + kPanelTiles * blocks * kTile * kBlock);
  for (int64_t t = 0; t < tiles * blocks; ++t)
    Many::unpack(w + t * W::kBytes, scales + t * kTile, codes + t * kTile * kBlock);
  constexpr bool kInPlace = W::kBytes == Many::kBytes;
  all_rows<Many>(p, {kInPlace ? w : codes, blocks * Many::kBytes, 0, 0, scales}, tiles, out);
}

/// Bound by memory: N rows of tiles at once, since one core draws more from several streams than from one.
template <class W, int N>
BRAID_INLINE void one_row(const Product& p, int64_t n) {
  const Rows rows{p.x, p.x_row_bytes, p.k};
  const int64_t blocks = p.k / kBlock, tile_row = blocks * W::kBytes;
  for (; N == 1 ? n < p.n_end : p.n_end - n >= N * kTile; n += N * kTile) {
    const Weights weights{p.w + n / kTile * tile_row, tile_row, 0, blocks};
    tile_product<W, 1, N>(rows, weights, {p.y + (n - p.n_begin), 0, p.n_end - n});
  }
  if constexpr (N > 1) one_row<W, N / 2>(p, n);
}

template <class W, class Many>
BRAID_INLINE void product(const Product& p) {
  if (p.rows == 1) return one_row<W, (kVectors == 1 ? W::kStreams : 1)>(p, p.n_begin);
  const int64_t blocks = p.k / kBlock, tile_row = blocks * W::kBytes;
  for (int64_t n = p.n_begin; n < p.n_end; n += kManyTiles * kTile) {
    const std::byte* w = p.w + n / kTile * tile_row;
    const int64_t count = lesser(p.n_end - n, kManyTiles * kTile);
    const int tiles = static_cast<int>((count + kTile - 1) / kTile);
    const Out out{p.y + (n - p.n_begin), p.y_stride, count};
    if (p.rows > kFewRows) {
      many_rows<W, Many>(p, w, tiles, out);
    } else {
      all_rows<W>(p, {w, tile_row, 0, 0}, tiles, out);
    }
  }
}

}  // namespace

void product_q8_0(const Product& p) { product<Q8, ManyQ8>(p); }
void product_q4_0(const Product& p) { product<Q4, ManyQ4>(p); }

}  // namespace braid::cpu::BRAID_ISA
