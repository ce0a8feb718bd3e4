// What the CPU's kernels reach of what the machine offers: one row against the read bandwidth, many rows and attention
// against the peak of the instruction used, all measured in this run with the same threads. The best of several rounds
// counts, taken in turn, so that a noisy neighbour hits limits and kernels alike.
//
//   braid_bench_kernels [ISA] [ROUNDS] [FILTER]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "backend/cpu/kernels.h"

namespace {

using namespace braid;
using namespace braid::cpu;

struct Weights {
  const char* name;
  ProductFn Kernels::*function;
  double bytes_per_weight;
  size_t x_bytes;  ///< per element; q8_act rows hold a little more
  bool integer;
};
const Weights kWeights[] = {
    {"f32 x f32", &Kernels::product_f32_f32, 4, 4, false},
    {"f32 x bf16", &Kernels::product_f32_bf16, 2, 4, false},
    {"f32 x f16", &Kernels::product_f32_f16, 2, 4, false},
    {"bf16 x bf16", &Kernels::product_bf16_bf16, 2, 2, false},
    {"q8_act x q8_0", &Kernels::product_q8_0, 34.0 / 32, 1, true},
    {"q8_act x q4_0", &Kernels::product_q4_0, 18.0 / 32, 1, true},
};

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// work(thread, chunk) for all chunks, claimed one after another.
void in_parallel(int threads, int64_t chunks, const std::function<void(int, int64_t)>& work) {
  std::atomic<int64_t> next{0};
  const auto run = [&](int thread) {
    for (int64_t c = next++; c < chunks; c = next++) work(thread, c);
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back(run, t);
  run(0);
  for (std::thread& t : others) t.join();
}

struct Bench {
  const Kernels& kernels;
  int threads, rounds;
  const char* filter;
  std::vector<std::byte> pool;  ///< weights: far more than the caches hold
  std::vector<float> x, y, scratch;
  volatile double sink = 0;

  double read_rate = 0, f32_peak = 0, bf16_peak = 0, int8_peak = 0;

  int64_t place = 0;  ///< samples walk through the pool

  /// Where the next `bytes` of cold memory begin.
  const std::byte* fresh(size_t bytes) {
    const auto copies = static_cast<int64_t>(pool.size() / bytes);
    return pool.data() + static_cast<size_t>(place++ % std::max<int64_t>(1, copies)) * bytes;
  }

  void limits() {
    constexpr int64_t kChunk = 1 << 20, kChunks = 32, kIterations = 100'000;
    const std::byte* data = fresh(kChunk * kChunks);
    const double seconds = seconds_of([&] {
      in_parallel(threads, kChunks, [&](int, int64_t c) {
        const uint64_t sum = kernels.read(data + c * kChunk, kChunk);
        sink = sink + static_cast<double>(sum & 1);
      });
    });
    read_rate = std::max(read_rate, static_cast<double>(kChunk * kChunks) / seconds);
    const auto peak = [&](double (*loop)(int64_t), double best) {
      std::atomic<int64_t> done{0};
      const double elapsed = seconds_of([&] {
        in_parallel(threads, 8 * threads, [&](int, int64_t) { done += static_cast<int64_t>(loop(kIterations / 4)); });
      });
      return std::max(best, static_cast<double>(done) / elapsed);
    };
    f32_peak = peak(kernels.peak_f32, f32_peak);
    bf16_peak = peak(kernels.peak_bf16, bf16_peak);
    int8_peak = peak(kernels.peak_int8, int8_peak);
  }

  double peak_of(const Weights& w) const {
    if (w.integer) return int8_peak;
    return w.x_bytes == 2 ? bf16_peak : f32_peak;
  }

  /// Seconds of one product of rows with (n, k), weights taken from ever new places of the pool.
  double product(const Weights& w, int64_t rows, int64_t n, int64_t k) {
    const auto bytes = static_cast<size_t>(static_cast<double>(n * k) * w.bytes_per_weight);
    const std::byte* weights = fresh(bytes);
    const int64_t chunk = rows < 32 ? 128 : 96, chunks = (n + chunk - 1) / chunk;
    const size_t per_thread = product_scratch_bytes() / 4 + 16;
    scratch.resize(std::max(scratch.size(), per_thread * static_cast<size_t>(threads)));
    return seconds_of([&] {
      in_parallel(threads, chunks, [&](int thread, int64_t c) {
        const int64_t begin = c * chunk;
        (kernels.*w.function)(
            {.x = reinterpret_cast<const std::byte*>(x.data()),
             .x_row_bytes = static_cast<size_t>(k) * w.x_bytes + (w.integer ? static_cast<size_t>(k) / 4 : 0),
             .rows = rows,
             .w = weights,
             .w_row_bytes = static_cast<size_t>(static_cast<double>(k) * w.bytes_per_weight),
             .n_begin = begin,
             .n_end = std::min(begin + chunk, n),
             .k = k,
             .y = y.data() + begin,
             .y_stride = n,
             .scratch = reinterpret_cast<std::byte*>(scratch.data() + static_cast<size_t>(thread) * per_thread)});
      });
    });
  }

  /// Prefill of `rows` positions, `heads` key-value heads with `group` query heads each; seconds.
  double attention(Format cache, int64_t rows, int64_t keys, int64_t heads, int64_t group, int64_t head_dim) {
    constexpr int64_t kPage = 64;
    const int64_t pages = (keys + kPage - 1) / kPage;
    const size_t page_bytes = static_cast<size_t>(kPage * head_dim) * (cache == Format::f32 ? 4 : 2);
    std::vector<int32_t> table(static_cast<size_t>(pages));
    for (int64_t p = 0; p < pages; ++p) table[static_cast<size_t>(p)] = static_cast<int32_t>(p);
    const size_t per_thread = attention_scratch_floats(kPage, head_dim);
    const int64_t chunk = std::min<int64_t>(rows, 64), row_chunks = rows / chunk;
    std::vector<float> state(static_cast<size_t>(2 * heads * rows * group)),
        own(per_thread * static_cast<size_t>(threads));
    return seconds_of([&] {
      in_parallel(threads, heads * row_chunks, [&](int thread, int64_t c) {
        const int64_t head = c / row_chunks, row = c % row_chunks * chunk;
        const std::byte* k = pool.data() + static_cast<size_t>(2 * head * pages) * page_bytes;
        kernels.attention({.q = x.data() + (row * heads + head) * group * head_dim,
                           .q_row_stride = heads * group * head_dim,
                           .rows = chunk,
                           .group = group,
                           .head_dim = head_dim,
                           .first_position = keys - rows + row,
                           .causal = true,
                           .scale = 0.125f,
                           .cache = cache,
                           .page_size = kPage,
                           .pages = table.data(),
                           .k = k,
                           .v = k + static_cast<size_t>(pages) * page_bytes,
                           .page_bytes = page_bytes,
                           .key_begin = 0,
                           .key_end = keys,
                           .acc = y.data() + (row * heads + head) * group * head_dim,
                           .acc_row_stride = heads * group * head_dim,
                           .max = state.data() + c * chunk * group,
                           .sum = state.data() + (heads * row_chunks + c) * chunk * group,
                           .scratch = own.data() + static_cast<size_t>(thread) * per_thread});
      });
    });
  }

  bool wanted(const char* name) const { return filter == nullptr || std::strstr(name, filter) != nullptr; }

  /// A sample is a few milliseconds, so that some samples see no neighbour: few rows take as many weights as make
  /// 32 MB, many rows two chunks per thread of an (n, k) product.
  void best_product(const Weights& w, int64_t rows, int64_t k) {
    char name[64];
    std::snprintf(name, sizeof name, "%s, %ld rows, K %ld", w.name, static_cast<long>(rows), static_cast<long>(k));
    if (!wanted(name)) return;
    int64_t n = 192 * threads;
    if (rows < 32) n = static_cast<int64_t>((32 << 20) / (static_cast<double>(k) * w.bytes_per_weight)) / 128 * 128;
    const double bytes = static_cast<double>(n * k) * w.bytes_per_weight;
    const double operations = 2.0 * static_cast<double>(rows * n * k);
    double best = 1e9;
    for (int i = 0; i < rounds; ++i) {
      limits();
      best = std::min(best, product(w, rows, n, k));
    }
    std::printf("%-32s %6.1f GB/s = %5.3f of read, %7.1f Gop/s = %5.3f of peak\n", name, bytes / best * 1e-9,
                bytes / best / read_rate, operations / best * 1e-9, operations / best / peak_of(w));
    std::fflush(stdout);
  }

  void best_attention(const char* name, Format cache, int64_t rows, int64_t keys, int64_t heads, int64_t group) {
    if (!wanted(name)) return;
    constexpr int64_t kHeadDim = 64;
    double best = 1e9;
    for (int i = 0; i < rounds; ++i) {
      limits();
      best = std::min(best, attention(cache, rows, keys, heads, group, kHeadDim));
    }
    const double pairs =
        static_cast<double>(rows) * (static_cast<double>(keys - rows) + static_cast<double>(rows + 1) / 2);
    const double operations = 4.0 * pairs * static_cast<double>(heads * group * kHeadDim);
    const double bytes = static_cast<double>(2 * keys * heads * kHeadDim * (cache == Format::f32 ? 4 : 2));
    std::printf(
        "%-14s %4ld rows, %ld keys, %ld x %ld heads: %7.1f GB/s = %5.3f of read, %8.1f Gop/s = %5.3f of f32 peak\n",
        name, static_cast<long>(rows), static_cast<long>(keys), static_cast<long>(heads), static_cast<long>(group),
        bytes / best * 1e-9, bytes / best / read_rate, operations / best * 1e-9, operations / best / f32_peak);
  }

  void all() {
    limits();
    std::printf("\n%s, %d thread(s): read %.1f GB/s; peak %.0f f32, %.0f bf16, %.0f int8 Gop/s (%s, %s, %s)\n",
                kernels.name, threads, read_rate * 1e-9, f32_peak * 1e-9, bf16_peak * 1e-9, int8_peak * 1e-9,
                kernels.f32_instruction, kernels.bf16_instruction, kernels.int_instruction);
    for (const Weights& w : kWeights) {
      for (const int64_t rows : {1, 2, 4, 8, 16, 128, 512}) best_product(w, rows, 2048);
      for (const int64_t rows : {1, 512}) best_product(w, rows, 5632);
    }
    best_attention("attention f32", Format::f32, 512, 512, 1, 8);
    best_attention("attention bf16", Format::bf16, 512, 512, 1, 8);
    best_attention("attention bf16", Format::bf16, 1, 4096, 32, 8);
    best_attention("attention bf16", Format::bf16, 1, 4096, 32, 1);
    std::printf("limits after all rounds: read %.1f GB/s; peak %.0f f32, %.0f bf16, %.0f int8 Gop/s\n",
                read_rate * 1e-9, f32_peak * 1e-9, bf16_peak * 1e-9, int8_peak * 1e-9);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const Kernels* kernels = choose_kernels(argc > 1 && argv[1][0] != '\0' ? argv[1] : nullptr);
  if (kernels == nullptr) {
    std::fprintf(stderr, "no such instruction set here: %s\n", argv[1]);
    return 1;
  }
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 20;
  for (const int threads : {1, 2}) {
    Bench bench{.kernels = *kernels,
                .threads = threads,
                .rounds = rounds,
                .filter = argc > 3 ? argv[3] : nullptr,
                .pool = std::vector<std::byte>(size_t{256} << 20, std::byte{0x3c}),
                .x = std::vector<float>(512 * 8192, 0.5f),
                .y = std::vector<float>(512 * 8192),
                .scratch = {}};
    bench.all();
  }
  return 0;
}
