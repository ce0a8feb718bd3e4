#include <algorithm>
#include <limits>

#include "backend/cpu/every_table.h"

namespace braid::cpu {
namespace {

class AttentionTest : public EveryTable {};
BRAID_EVERY_TABLE(AttentionTest);

struct Shape {
  int64_t keys, group, head_dim, page_size;
};

/// One key-value head's cache, its pages in mixed order; unused places hold not-a-number.
struct Cache {
  Shape shape;
  Format format;
  std::vector<double> k, v;  ///< (keys, head_dim): what the stored elements stand for
  std::vector<std::byte> k_pages, v_pages;
  std::vector<int32_t> pages;
  size_t page_bytes = 0;
};

Cache make_cache(const Kernels& kernels, const Shape& shape, Format format) {
  const auto& [keys, group, head_dim, page_size] = shape;
  const int64_t count = (keys + page_size - 1) / page_size, size = count * page_size * head_dim;
  Cache c{.shape = shape, .format = format, .k = {}, .v = {}, .k_pages = {}, .v_pages = {}, .pages = {}};
  for (int64_t p = 0; p < count; ++p) c.pages.push_back(static_cast<int32_t>((p * 7 + 3) % count));
  std::sort(c.pages.begin(), c.pages.end(), std::greater<>());
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> k(static_cast<size_t>(size), nan), v(static_cast<size_t>(size), nan);
  for (int64_t p = 0; p < count; ++p) c.pages[static_cast<size_t>(p)] = static_cast<int32_t>(count - 1 - p);
  std::vector<float> values = random_floats(2 * keys * head_dim, 17, -2, 2);
  for (float& value : values) {
    if (format != Format::f32) value = std::ldexp(std::nearbyint(std::ldexp(value, 6)), -6);  // exact in 16 bits
  }
  for (int64_t key = 0; key < keys; ++key) {
    const int64_t base = c.pages[static_cast<size_t>(key / page_size)] * page_size * head_dim,
                  in_page = key % page_size;
    for (int64_t d = 0; d < head_dim; ++d) {
      k[static_cast<size_t>(base + d * page_size + in_page)] = values[static_cast<size_t>(key * head_dim + d)];
      v[static_cast<size_t>(base + in_page * head_dim + d)] = values[static_cast<size_t>((keys + key) * head_dim + d)];
    }
  }
  c.k.assign(values.begin(), values.begin() + keys * head_dim);
  c.v.assign(values.begin() + keys * head_dim, values.end());
  const size_t element = format == Format::f32 ? 4 : 2;
  c.page_bytes = static_cast<size_t>(page_size * head_dim) * element;
  const auto store = [&](const std::vector<float>& from, std::vector<std::byte>& to) {
    to.resize(from.size() * element);
    if (format == Format::f32) std::memcpy(to.data(), from.data(), to.size());
    if (format == Format::bf16) kernels.encode_bf16(from.data(), to.data(), size);
    if (format == Format::f16) kernels.encode_f16(from.data(), to.data(), size);
  };
  store(k, c.k_pages);
  store(v, c.v_pages);
  return c;
}

struct Result {
  std::vector<float> acc, max, sum;  ///< (rows, group, head_dim), (rows, group) twice
};

/// Queries from a position on, over keys [key_begin, key_end).
struct Queries {
  int64_t rows, position;
  bool causal;
  int64_t key_begin, key_end;
};
Result run(const Kernels& kernels, const Cache& c, const float* q, const Queries& at) {
  const int64_t width = c.shape.group * c.shape.head_dim;
  Result r;
  r.acc.resize(static_cast<size_t>(at.rows * width));
  r.max.resize(static_cast<size_t>(at.rows * c.shape.group));
  r.sum.resize(r.max.size());
  std::vector<float> scratch(attention_scratch_floats(c.shape.page_size, c.shape.head_dim));
  kernels.attention({.q = q,
                     .q_row_stride = width,
                     .rows = at.rows,
                     .group = c.shape.group,
                     .head_dim = c.shape.head_dim,
                     .first_position = at.position,
                     .causal = at.causal,
                     .scale = 0.25f,
                     .cache = c.format,
                     .page_size = c.shape.page_size,
                     .pages = c.pages.data(),
                     .k = c.k_pages.data(),
                     .v = c.v_pages.data(),
                     .page_bytes = c.page_bytes,
                     .key_begin = at.key_begin,
                     .key_end = at.key_end,
                     .acc = r.acc.data(),
                     .acc_row_stride = width,
                     .max = r.max.data(),
                     .sum = r.sum.data(),
                     .scratch = scratch.data()});
  return r;
}

/// The definition, in doubles, for one query.
std::vector<double> exact(const Cache& c, const float* q, int64_t key_end) {
  std::vector<double> score(static_cast<size_t>(key_end)), y(static_cast<size_t>(c.shape.head_dim));
  double largest = -1e300, total = 0;
  for (int64_t key = 0; key < key_end; ++key) {
    for (int64_t d = 0; d < c.shape.head_dim; ++d) score[key] += q[d] * c.k[key * c.shape.head_dim + d];
    score[key] *= 0.25;
    largest = std::max(largest, score[key]);
  }
  for (double& s : score) total += s = std::exp(s - largest);
  for (int64_t key = 0; key < key_end; ++key) {
    for (int64_t d = 0; d < c.shape.head_dim; ++d) y[d] += score[key] / total * c.v[key * c.shape.head_dim + d];
  }
  return y;
}

const Shape kShapes[] = {{1, 1, 1, 1},     {5, 3, 8, 4},     {67, 8, 64, 64}, {130, 4, 64, 16},
                         {100, 5, 36, 32}, {70, 1, 128, 64}, {33, 7, 17, 5}};
const Format kFormats16[] = {Format::f32, Format::bf16, Format::f16};

TEST_P(AttentionTest, EqualsTheDefinitionAndNeverReadsUnusedPlaces) {
  for (const Shape& shape : kShapes) {
    for (const Format format : kFormats16) {
      const Cache c = make_cache(kernels(), shape, format);
      for (const bool causal : {true, false}) {
        const int64_t rows = std::min<int64_t>(shape.keys, 37), width = shape.group * shape.head_dim;
        const std::vector<float> q = random_floats(rows * width, 23);
        const int64_t position = shape.keys - rows;
        const Result r = run(kernels(), c, q.data(), {rows, position, causal, 0, shape.keys});
        for (int64_t i = 0; i < rows * shape.group; ++i) {
          const int64_t seen = causal ? position + i / shape.group + 1 : shape.keys;
          const std::vector<double> y = exact(c, q.data() + i * shape.head_dim, seen);
          // Scores are sums of head_dim products of size ≤ 2, scaled by 1/4; their error moves the weights by that
          // much.
          const double score_error = kEpsilon * std::sqrt(static_cast<double>(shape.head_dim) + 4) *
                                     static_cast<double>(shape.head_dim) * 2 * 0.25;
          const double bound = 2 * 2 * (score_error + kEpsilon * (8 + std::sqrt(static_cast<double>(seen))));
          for (int64_t d = 0; d < shape.head_dim; ++d) {
            ASSERT_NEAR(r.acc[i * shape.head_dim + d] / r.sum[i], y[d], bound)
                << "keys " << shape.keys << ", group " << shape.group << ", head_dim " << shape.head_dim << ", query "
                << i;
          }
        }
      }
    }
  }
}

TEST_P(AttentionTest, ARowGivesTheSameBitsHoweverTheRowsAreCut) {
  for (const Shape& shape : kShapes) {
    for (const Format format : kFormats16) {
      const Cache c = make_cache(kernels(), shape, format);
      const int64_t rows = shape.keys, width = shape.group * shape.head_dim;
      const std::vector<float> q = random_floats(rows * width, 29);
      const Result all = run(kernels(), c, q.data(), {rows, 0, true, 0, shape.keys});
      for (const int64_t count : {1, 2, 5, 16}) {
        for (int64_t row = 0; row + count <= rows; row += 3 * count) {
          // What later rows have written to the cache must not matter either.
          const Result some = run(kernels(), c, q.data() + row * width, {count, row, true, 0, row + count});
          ASSERT_TRUE(same_bits(some.acc.data(), all.acc.data() + row * width, count * width))
              << count << " rows from " << row;
          ASSERT_TRUE(same_bits(some.max.data(), all.max.data() + row * shape.group, count * shape.group));
          ASSERT_TRUE(same_bits(some.sum.data(), all.sum.data() + row * shape.group, count * shape.group));
        }
      }
    }
  }
}

TEST_P(AttentionTest, PartsOfTheKeysMergeToTheWhole) {
  const Shape shape{200, 3, 40, 16};
  const Cache c = make_cache(kernels(), shape, Format::f32);
  const std::vector<float> q = random_floats(shape.group * shape.head_dim, 31);
  const int64_t cuts[] = {0, 48, 64, 160, 200};
  std::vector<float> acc, max, sum;
  for (int i = 0; i < 4; ++i) {
    const Result part = run(kernels(), c, q.data(), {1, shape.keys - 1, true, cuts[i], cuts[i + 1]});
    acc.insert(acc.end(), part.acc.begin(), part.acc.end());
    max.insert(max.end(), part.max.begin(), part.max.end());
    sum.insert(sum.end(), part.sum.begin(), part.sum.end());
  }
  for (int64_t head = 0; head < shape.group; ++head) {
    std::vector<float> y(static_cast<size_t>(shape.head_dim));
    kernels().merge_attention({acc.data() + head * shape.head_dim, max.data() + head, sum.data() + head, nullptr, 4,
                               shape.group * shape.head_dim, shape.group, shape.head_dim},
                              y.data());
    const std::vector<double> expected = exact(c, q.data() + head * shape.head_dim, shape.keys);
    const double bound = 4 * kEpsilon * (std::sqrt(40.0) * 40 * 2 * 0.25 + 8 + std::sqrt(200.0));
    for (int64_t d = 0; d < shape.head_dim; ++d) EXPECT_NEAR(y[d], expected[d], bound);
  }
}

TEST_P(AttentionTest, ARangeWithoutVisibleKeysIsEmptyAndMergesAway) {
  const Shape shape{64, 2, 8, 16};
  const Cache c = make_cache(kernels(), shape, Format::f32);
  const std::vector<float> q = random_floats(shape.group * shape.head_dim, 37);
  const Result none = run(kernels(), c, q.data(), {1, 10, true, 32, 64});
  for (const float m : none.max) EXPECT_EQ(m, -std::numeric_limits<float>::infinity());
  for (const float s : none.sum) EXPECT_EQ(s, 0);
  for (const float a : none.acc) EXPECT_EQ(a, 0);

  const Result some = run(kernels(), c, q.data(), {1, 10, true, 0, 32});
  const float max[] = {some.max[0], none.max[0]}, sum[] = {some.sum[0], none.sum[0]};
  std::vector<float> acc(some.acc.begin(), some.acc.begin() + 8), merged(8), alone(8);
  acc.insert(acc.end(), none.acc.begin(), none.acc.begin() + 8);
  kernels().merge_attention({acc.data(), max, sum, nullptr, 2, 8, 1, 8}, merged.data());
  kernels().merge_attention({acc.data(), max, sum, nullptr, 1, 8, 1, 8}, alone.data());
  EXPECT_TRUE(same_bits(merged.data(), alone.data(), 8));
  kernels().merge_attention({none.acc.data(), none.max.data(), none.sum.data(), nullptr, 1, 8, 1, 8}, merged.data());
  for (const float y : merged) EXPECT_EQ(y, 0) << "a query that sees nothing gives zeros";
}

}  // namespace
}  // namespace braid::cpu
