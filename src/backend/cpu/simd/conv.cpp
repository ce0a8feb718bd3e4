// Direct convolution. For a few output positions and some taps (input channel, kernel row, kernel column) the inputs
// are laid side by side, padding as zeros; all output channels then pass over them, a tile at a time. Every output adds
// its taps in order.

#include "backend/cpu/simd/elements.h"
#include "backend/cpu/simd/isa.h"

namespace braid::cpu::BRAID_ISA {
namespace {

constexpr int64_t kPositions = kTileVectors * kLanes;
constexpr int64_t kTaps = 16384 / (4 * kPositions);  // the inputs of a step stay in half of a small L1 cache

struct Tap {
  const float* channel;
  int64_t ky, kx;
};

/// The inputs of one tap at output positions [begin, begin + count): zeros outside the image.
void gather_tap(const Convolution& c, const Tap& tap, int64_t begin, int64_t count, float* to) {
  for (int64_t i = 0; i < count;) {
    const int64_t oy = (begin + i) / c.ow, ox = (begin + i) % c.ow;
    const int64_t run = lesser(c.ow - ox, count - i);
    const int64_t iy = oy * c.stride_h - c.pad_h + tap.ky;
    if (iy < 0 || iy >= c.height) {
      for (int64_t j = 0; j < run; ++j) to[i + j] = 0;
    } else {
      const float* row = tap.channel + iy * c.width;
      int64_t ix = ox * c.stride_w - c.pad_w + tap.kx, j = 0;
      for (; j < run && ix < 0; ++j, ix += c.stride_w) to[i + j] = 0;
      if (c.stride_w == 1) {
        for (const int64_t end = lesser(run, j + c.width - ix); j < end; ++j, ++ix) to[i + j] = row[ix];
      } else {
        for (; j < run && ix < c.width; ++j, ix += c.stride_w) to[i + j] = row[ix];
      }
      for (; j < run; ++j) to[i + j] = 0;
    }
    i += run;
  }
}

/// T output channels × V vectors of positions: y goes on from where the taps before left it.
template <int T, int V, bool kPart>
void tile(const float* const* w, const float* inputs, int64_t taps, float* const* y, int64_t width, bool first) {
  F acc[T * V];
  unroll<T>([&](auto t) BRAID_FLATTEN {
    unroll<V>([&](auto v) BRAID_FLATTEN {
      const float* from = y[t] + v * kLanes;
      acc[t * V + v] = first ? F{} : (kPart ? load_part<F>(from, width) : load<F>(from));
    });
  });
  // The gathered inputs are padded to whole vectors.
  multiply<FromF32, T, V, false>(w, reinterpret_cast<const std::byte*>(inputs), kPositions, taps, 0, acc);
  unroll<T>([&](auto t) BRAID_FLATTEN {
    unroll<V>([&](auto v) BRAID_FLATTEN {
      float* to = y[t] + v * kLanes;
      if (kPart) {
        store_part(to, acc[t * V + v], width);
      } else {
        store(to, acc[t * V + v]);
      }
    });
  });
}

struct Step {
  const float* inputs;  ///< (taps, kPositions)
  int64_t tap, taps, all_taps;
  int64_t position, count;
  int64_t y_row;  ///< positions of one output channel
};

template <int T>
void outputs(const Convolution& c, const Step& s, int64_t out) {
  const float* w[T];
  float* y[T];
  for (int t = 0; t < T; ++t) {
    w[t] = c.w + (out + t) * s.all_taps + s.tap;
    y[t] = c.y + (out + t) * s.y_row + s.position;
  }
  if (s.count == kPositions) return tile<T, kTileVectors, false>(w, s.inputs, s.taps, y, 0, s.tap == 0);
  for (int64_t i = 0; i < s.count; i += kLanes) {
    const float* inputs = s.inputs + i;
    if (s.count - i >= kLanes) {
      tile<T, 1, false>(w, inputs, s.taps, y, 0, s.tap == 0);
    } else {
      tile<T, 1, true>(w, inputs, s.taps, y, s.count - i, s.tap == 0);
    }
    for (int t = 0; t < T; ++t) y[t] += kLanes;
  }
}

/// Output channels [out, out_end) of one group at positions [begin, end).
void group(const Convolution& c, int64_t out, int64_t out_end, int64_t begin, int64_t end) {
  alignas(64) float inputs[kTaps * kPositions];
  const int64_t group_channels = c.channels / c.groups;
  const float* x = c.x + out / (c.out / c.groups) * group_channels * c.height * c.width;
  Step s{.inputs = inputs,
         .tap = 0,
         .taps = 0,
         .all_taps = group_channels * c.kh * c.kw,
         .position = begin,
         .count = 0,
         .y_row = c.oh * c.ow};
  for (; s.position < end; s.position += kPositions) {
    s.count = lesser(kPositions, end - s.position);
    for (s.tap = 0; s.tap < s.all_taps; s.tap += kTaps) {
      s.taps = lesser(kTaps, s.all_taps - s.tap);
      for (int64_t i = 0; i < s.taps; ++i) {
        const int64_t tap = s.tap + i, channel = tap / (c.kh * c.kw), ky = tap / c.kw % c.kh, kx = tap % c.kw;
        float* to = inputs + i * kPositions;
        gather_tap(c, {x + channel * c.height * c.width, ky, kx}, s.position, s.count, to);
        for (int64_t j = s.count; j < kPositions; ++j) to[j] = 0;
      }
      int64_t o = out;
      for (; o + kTileRows <= out_end; o += kTileRows) outputs<kTileRows>(c, s, o);
      for (; o < out_end; ++o) outputs<1>(c, s, o);
    }
  }
}

}  // namespace

void conv(const Convolution& c) {
  const bool flat = c.height == 1 && c.kh == 1 && c.oh == 1;
  const int64_t begin = flat ? c.row_begin : c.row_begin * c.ow, end = flat ? c.row_end : c.row_end * c.ow;
  const int64_t group_out = c.out / c.groups;
  for (int64_t out = c.out_begin; out < c.out_end;) {
    const int64_t out_end = lesser(c.out_end, (out / group_out + 1) * group_out);
    group(c, out, out_end, begin, end);
    out = out_end;
  }
}

}  // namespace braid::cpu::BRAID_ISA
