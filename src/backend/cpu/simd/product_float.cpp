// Products with weights row by row: f32, bf16, f16. Every output has one vector of partial sums along K, whichever way
// the work is cut: a few rows stream the weights from where they lie; many rows go through packed panels, block by
// block along K, with the partial sums kept between blocks.

#include "backend/cpu/simd/blocking.h"
#include "backend/cpu/simd/dot.h"
#include "backend/cpu/simd/elements.h"
#include "backend/cpu/simd/isa.h"

namespace braid::cpu::BRAID_ISA {
namespace {

/// Both sides widened to f32 in registers.
template <class X_, class W_>
struct Widened {
  using X = X_;
  using W = W_;
  using Vector = F;
  static constexpr int64_t kStep = kLanes;  // elements
  BRAID_INLINE F dot(F x, F w, F acc) { return fma(x, w, acc); }
};
#if defined(__AVX512BF16__)
struct PairsOfBf16 {
  static constexpr int64_t kBytes = 4 * kLanes;
  BRAID_INLINE I whole(const std::byte* p) { return load<I>(p); }
  BRAID_INLINE I part(const std::byte* p, int64_t n) {
    return (I)_mm512_maskz_loadu_epi16(static_cast<__mmask32>((uint64_t{1} << n) - 1), p);
  }
};
struct Paired {
  using X = PairsOfBf16;
  using W = PairsOfBf16;
  using Vector = I;
  static constexpr int64_t kStep = 2 * kLanes;
  BRAID_INLINE F dot(I x, I w, F acc) { return dot_pairs(x, w, acc); }
};
#endif

constexpr int kRowTile = 4;
constexpr int kWeightTile = kManyRegisters ? 6 : 3;
constexpr int64_t kDirectRows = 32;  // up to here the weights are read in place, once per kRowTile rows
static_assert(kBlockWeights % kWeightTile == 0 && kBlockRows % kRowTile == 0);

template <int N>
BRAID_INLINE void fold_all(const F* acc, float* sums) {
  unroll<N / 4>([&](auto i) BRAID_FLATTEN {
    store<F4>(sums + 4 * i, fold_four(acc[4 * i], acc[4 * i + 1], acc[4 * i + 2], acc[4 * i + 3]));
  });
  unroll<N % 4>([&](auto i) BRAID_FLATTEN { sums[N / 4 * 4 + i] = fold(acc[N / 4 * 4 + i]); });
}

// ---- a few rows

/// R rows of x (from `row`) times W weights (from n), read where they lie.
template <class P, int R, int W>
void direct_tile(const Product& p, int64_t row, int64_t n) {
  const std::byte* x = p.x + static_cast<size_t>(row) * p.x_row_bytes;
  const std::byte* w = p.w + static_cast<size_t>(n) * p.w_row_bytes;
  F acc[R * W];
  unroll<R * W>([&](auto i) BRAID_FLATTEN { acc[i] = F{}; });
  const int64_t steps = p.k / P::kStep, tail = p.k % P::kStep;
  // The first pass over a weight is bound by memory: meanwhile the next weights come into the L2 cache. (The hardware
  // prefetches within a page of 4 KiB only, and a row may be no longer than that.)
  const bool first = row == 0;
  for (int64_t s = 0; s < steps; ++s) {
    if (first) {
      unroll<W>([&](auto j)
                    BRAID_FLATTEN { __builtin_prefetch(w + (j + W) * p.w_row_bytes + s * P::W::kBytes, 0, 2); });
    }
    typename P::Vector xs[R];
    unroll<R>([&](auto r) BRAID_FLATTEN { xs[r] = P::X::whole(x + r * p.x_row_bytes + s * P::X::kBytes); });
    unroll<W>([&](auto j) BRAID_FLATTEN {
      const auto ws = P::W::whole(w + j * p.w_row_bytes + s * P::W::kBytes);
      unroll<R>([&](auto r) BRAID_FLATTEN { acc[r * W + j] = P::dot(xs[r], ws, acc[r * W + j]); });
    });
  }
  if (tail > 0) {
    unroll<W>([&](auto j) BRAID_FLATTEN {
      const auto ws = P::W::part(w + j * p.w_row_bytes + steps * P::W::kBytes, tail);
      unroll<R>([&](auto r) BRAID_FLATTEN {
        acc[r * W + j] = P::dot(P::X::part(x + r * p.x_row_bytes + steps * P::X::kBytes, tail), ws, acc[r * W + j]);
      });
    });
  }
  float sums[R * W];
  fold_all<R * W>(acc, sums);
  unroll<R>([&](auto r) BRAID_FLATTEN {
    float* y = p.y + (row + r) * p.y_stride + (n - p.n_begin);
    for (int j = 0; j < W; ++j) y[j] = sums[r * W + j];
  });
}

/// R rows times all weights of the call; W at a time.
template <class P, int R, int W>
void direct_rows(const Product& p, int64_t row, int64_t n_begin, int64_t n_end) {
  int64_t n = n_begin;
  for (; n + W <= n_end; n += W) direct_tile<P, R, W>(p, row, n);
  for (; n < n_end; ++n) direct_tile<P, R, 1>(p, row, n);
}

/// Weights in groups that stay in the L1 or L2 cache while all rows pass.
template <class P>
void direct(const Product& p) {
  constexpr int kGroup = 2 * kWeightTile;
  for (int64_t n = p.n_begin; n < p.n_end;) {
    const int64_t end = p.rows > kRowTile ? lesser(n + kGroup, p.n_end) : p.n_end;
    int64_t row = 0;
    for (; row + kRowTile <= p.rows; row += kRowTile) direct_rows<P, kRowTile, kWeightTile>(p, row, n, end);
    switch (p.rows - row) {
      case 1:
        direct_rows<P, 1, kManyRegisters ? 8 : 4>(p, row, n, end);
        break;
      case 2:
        direct_rows<P, 2, kManyRegisters ? 8 : 4>(p, row, n, end);
        break;
      case 3:
        direct_rows<P, 3, kWeightTile>(p, row, n, end);
        break;
      default:
        break;
    }
    n = end;
  }
}

// ---- many rows

/// A block along K: whole vectors, the elements after them, and whether it is the first or the last.
struct Depth {
  int64_t steps, tail;
  bool first, last;
};

/// Where R rows meet a panel: sums[r * kWeightTile + j] wait for the next block, y takes `count` results of each row.
struct Place {
  const std::byte* x;
  int64_t x_row_bytes;
  F* sums;
  float* y;
  int64_t y_stride, count;
};

template <class P, int R>
void panel_tile(const Place& at, const std::byte* panel, const Depth& depth) {
  const int64_t steps = depth.steps, tail = depth.tail, x_row_bytes = at.x_row_bytes;
  const std::byte* x = at.x;
  F acc[R * kWeightTile];
  unroll<R * kWeightTile>([&](auto i) BRAID_FLATTEN { acc[i] = depth.first ? F{} : at.sums[i]; });
  const auto step = [&](int64_t s, auto load_x) BRAID_FLATTEN {
    typename P::Vector xs[R];
    unroll<R>([&](auto r) BRAID_FLATTEN { xs[r] = load_x(x + r * x_row_bytes + s * P::X::kBytes); });
    if constexpr (R == kRowTile) {  // the next rows: their pieces are too short for the hardware to see a stream
      unroll<R>([&](auto r) BRAID_FLATTEN { __builtin_prefetch(x + (r + R) * x_row_bytes + s * P::X::kBytes, 0, 2); });
    }
    unroll<kWeightTile>([&](auto j) BRAID_FLATTEN {
      const auto ws = load<typename P::Vector>(panel + (s * kWeightTile + j) * sizeof(F));
      unroll<R>([&](auto r) BRAID_FLATTEN { acc[r * kWeightTile + j] = P::dot(xs[r], ws, acc[r * kWeightTile + j]); });
    });
  };
  for (int64_t s = 0; s < steps; ++s) step(s, [](const std::byte* p) BRAID_FLATTEN { return P::X::whole(p); });
  if (tail > 0) step(steps, [tail](const std::byte* p) BRAID_FLATTEN { return P::X::part(p, tail); });
  if (!depth.last) {
    unroll<R * kWeightTile>([&](auto i) BRAID_FLATTEN { at.sums[i] = acc[i]; });
    return;
  }
  float folded[R * kWeightTile];
  fold_all<R * kWeightTile>(acc, folded);
  if (at.count == kWeightTile) {
    unroll<R>([&](auto r) BRAID_FLATTEN {
      __builtin_memcpy(at.y + r * at.y_stride, folded + r * kWeightTile, kWeightTile * sizeof(float));
    });
    return;
  }
  for (int64_t r = 0; r < R; ++r) {
    for (int64_t j = 0; j < at.count; ++j) at.y[r * at.y_stride + j] = folded[r * kWeightTile + j];
  }
}

/// Weights n … n + count of one K block, widened: panel (step, kWeightTile) vectors; missing weights are zero.
template <class P>
void pack_panel(const Product& p, int64_t n, int64_t count, int64_t step, const Depth& depth, std::byte* panel) {
  const int64_t steps = depth.steps, tail = depth.tail;
  for (int64_t j = 0; j < kWeightTile; ++j) {
    const std::byte* w = p.w + static_cast<size_t>(n + j) * p.w_row_bytes + step * P::W::kBytes;
    std::byte* to = panel + j * static_cast<int64_t>(sizeof(F));
    for (int64_t s = 0; s < steps; ++s, to += kWeightTile * sizeof(F)) {
      store(to, j < count ? P::W::whole(w + s * P::W::kBytes) : typename P::Vector{});
    }
    if (tail > 0) store(to, j < count ? P::W::part(w + steps * P::W::kBytes, tail) : typename P::Vector{});
  }
}

/// A panel for `rows` rows; meanwhile the weights of the next one (at `next`) come into the L2 cache.
template <class P>
void panel_rows(const Product& p, Place at, int64_t rows, const std::byte* panel, const Depth& depth,
                const std::byte* next) {
  const int64_t bytes = depth.steps * P::W::kBytes, share = bytes * kRowTile / rows;
  int64_t fetched = 0;
  const auto some = [&](auto n) BRAID_FLATTEN {
    for (const int64_t end = lesser(fetched + share, bytes); fetched < end; fetched += 64) {
      for (int64_t j = 0; j < kWeightTile; ++j) {
        __builtin_prefetch(next + j * static_cast<int64_t>(p.w_row_bytes) + fetched, 0, 2);
      }
    }
    panel_tile<P, n.value>(at, panel, depth);
    at.x += n * at.x_row_bytes;
    at.sums += n * kWeightTile;
    at.y += n * at.y_stride;
  };
  int64_t row = 0;
  for (; row + kRowTile <= rows; row += kRowTile) some(Index<kRowTile>{});
  for (; row < rows; ++row) some(Index<1>{});
}

template <class P>
void blocked(const Product& p) {
  std::byte* scratch = p.scratch + (-reinterpret_cast<uintptr_t>(p.scratch) & (kMaxVectorBytes - 1));
  F* sums = reinterpret_cast<F*>(scratch);
  std::byte* panel = scratch + kBlockRows * kBlockWeights * sizeof(F);
  constexpr int64_t kMostSteps = kBlockBytes / static_cast<int64_t>(sizeof(F));
  const int64_t all_steps = p.k / P::kStep, tail = p.k % P::kStep;
  const int64_t blocks = (all_steps + kMostSteps - 1) / kMostSteps;
  const int64_t block_steps = blocks == 0 ? 1 : (all_steps + blocks - 1) / blocks;  // of nearly equal length
  const auto weights_at = [&](int64_t n, int64_t step) BRAID_FLATTEN {
    return p.w + static_cast<size_t>(n) * p.w_row_bytes + step * P::W::kBytes;
  };
  for (int64_t row0 = 0; row0 < p.rows; row0 += kBlockRows) {
    const int64_t rows = lesser(kBlockRows, p.rows - row0);
    const std::byte* x = p.x + static_cast<size_t>(row0) * p.x_row_bytes;
    for (int64_t n0 = p.n_begin; n0 < p.n_end; n0 += kBlockWeights) {
      const int64_t n_end = lesser(n0 + kBlockWeights, p.n_end);
      for (int64_t step = 0; step == 0 || step < all_steps; step += block_steps) {
        const int64_t steps = lesser(block_steps, all_steps - step);
        const bool last = step + steps == all_steps;
        const Depth depth{steps, last ? tail : 0, step == 0, last};
        for (int64_t n = n0; n < n_end; n += kWeightTile) {
          const int64_t count = lesser(kWeightTile, n_end - n);
          pack_panel<P>(p, n, count, step, depth, panel);
          const std::byte* next = n + kWeightTile < n_end ? weights_at(n + kWeightTile, step)
                                  : last                  ? weights_at(n_end, 0)
                                                          : weights_at(n0, step + steps);
          panel_rows<P>(p,
                        {.x = x + step * P::X::kBytes,
                         .x_row_bytes = static_cast<int64_t>(p.x_row_bytes),
                         .sums = sums + (n - n0) * kBlockRows,
                         .y = p.y + row0 * p.y_stride + (n - p.n_begin),
                         .y_stride = p.y_stride,
                         .count = count},
                        rows, panel, depth, next);
        }
      }
    }
  }
}

template <class P>
BRAID_INLINE void product(const Product& p) {
  if (p.rows <= kDirectRows) return direct<P>(p);
  blocked<P>(p);
}

}  // namespace

void product_f32_f32(const Product& p) { product<Widened<FromF32, FromF32>>(p); }
void product_f32_bf16(const Product& p) { product<Widened<FromF32, FromBf16>>(p); }
void product_f32_f16(const Product& p) { product<Widened<FromF32, FromF16>>(p); }
#if defined(__AVX512BF16__)
void product_bf16_bf16(const Product& p) { product<Paired>(p); }
#else
void product_bf16_bf16(const Product& p) { product<Widened<FromBf16, FromBf16>>(p); }
#endif

}  // namespace braid::cpu::BRAID_ISA
