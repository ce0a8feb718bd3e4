#include <algorithm>

#include "backend/cpu/every_table.h"

namespace braid::cpu {
namespace {

/// Which product, with operands in the form that it takes and the numbers that they stand for.
enum class Class { f32_f32, f32_bf16, f32_f16, bf16_bf16, q8_0, q4_0 };
const Class kClasses[] = {Class::f32_f32, Class::f32_bf16, Class::f32_f16, Class::bf16_bf16, Class::q8_0, Class::q4_0};
const char* const kClassNames[] = {"f32 x f32",   "f32 x bf16",    "f32 x f16",
                                   "bf16 x bf16", "q8_act x q8_0", "q8_act x q4_0"};
bool is_integer(Class c) { return c == Class::q8_0 || c == Class::q4_0; }

ProductFn function_of(const Kernels& k, Class c) {
  switch (c) {
    case Class::f32_f32:
      return k.product_f32_f32;
    case Class::f32_bf16:
      return k.product_f32_bf16;
    case Class::f32_f16:
      return k.product_f32_f16;
    case Class::bf16_bf16:
      return k.product_bf16_bf16;
    case Class::q8_0:
      return k.product_q8_0;
    case Class::q4_0:
      return k.product_q4_0;
  }
  return nullptr;
}

struct Case {
  int64_t rows, n, k;
  std::vector<std::byte> x, w;
  size_t x_row_bytes = 0, w_row_bytes = 0;
  std::vector<double> x_values, w_values;  ///< (rows, k), (n, k)
};

void append(std::vector<std::byte>& to, const void* bytes, size_t n) {
  const auto* p = static_cast<const std::byte*>(bytes);
  to.insert(to.end(), p, p + n);
}

/// A random row in 16 bits; values are those that the bits stand for.
void append_16(std::vector<std::byte>& to, std::vector<double>& values, float v, bool f16) {
  uint16_t bits = bf16_from_float(v);
  if (f16) bits = static_cast<uint16_t>((v < 0 ? 0x8000 : 0) | static_cast<uint16_t>(std::fabs(v) * 15360));
  append(to, &bits, 2);
  values.push_back(f16 ? double_from_f16(bits) : float_from_bf16(bits));
}

void make_activations(Case& c, std::mt19937& random) {
  const int64_t blocks = c.k / 32;
  c.x_row_bytes = static_cast<size_t>(c.k + 8 * blocks);
  c.x.resize(static_cast<size_t>(c.rows) * c.x_row_bytes);
  for (int64_t r = 0; r < c.rows; ++r) {
    std::byte* row = c.x.data() + static_cast<size_t>(r) * c.x_row_bytes;
    float scale = 0;  // of a group of four blocks
    for (int64_t b = 0; b < blocks; ++b) {
      if (b % 4 == 0) scale = std::ldexp(1.0f + static_cast<float>(random() % 1000) / 1000.0f, -9);
      int32_t start = 0;
      for (int64_t i = 0; i < 32; ++i) {
        const auto code = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
        row[b * 32 + i] = static_cast<std::byte>(code);
        start -= 128 * code;
        c.x_values.push_back(static_cast<double>(code) * scale);
      }
      std::memcpy(row + c.k + 4 * b, &scale, 4);
      std::memcpy(row + c.k + 4 * blocks + 4 * b, &start, 4);
    }
  }
}

/// Layout::interleave16, written from its description.
void make_tiles(Case& c, bool q4, std::mt19937& random) {
  const int64_t blocks = c.k / 32, tiles = (c.n + 15) / 16, codes = q4 ? 256 : 512, zero = q4 ? 8 : 128;
  c.w.resize(static_cast<size_t>(tiles * blocks * (32 + codes)));
  c.w_values.resize(static_cast<size_t>(c.n * c.k));
  for (int64_t t = 0; t < tiles; ++t) {
    for (int64_t b = 0; b < blocks; ++b) {
      std::byte* tile = c.w.data() + (t * blocks + b) * (32 + codes);
      for (int64_t lane = 0; lane < 16; ++lane) {
        const int64_t n = t * 16 + lane;
        const uint16_t scale = n < c.n ? static_cast<uint16_t>(0x1c00 + random() % 0x400) : 0;
        std::memcpy(tile + 2 * lane, &scale, 2);
        for (int64_t col = 0; col < 32; ++col) {
          const int code = static_cast<int>(q4 ? random() % 16 : 1 + random() % 255);
          const int64_t g = col / 4, j = col % 4;
          std::byte& byte = tile[32 + 64 * (q4 ? g % 4 : g) + 4 * lane + j];
          byte |= static_cast<std::byte>(q4 && g >= 4 ? code << 4 : code);
          if (n < c.n) {
            c.w_values[static_cast<size_t>(n * c.k + b * 32 + col)] =
                double_from_f16(scale) * static_cast<double>(code - zero);
          }
        }
      }
    }
  }
}

Case make_case(Class what, int64_t rows, int64_t n, int64_t k) {
  Case c{.rows = rows, .n = n, .k = k, .x = {}, .w = {}, .x_values = {}, .w_values = {}};
  std::mt19937 random(static_cast<uint32_t>(rows * 7 + n * 31 + k));
  if (is_integer(what)) {
    make_activations(c, random);
    make_tiles(c, what == Class::q4_0, random);
    return c;
  }
  for (const float v : random_floats(rows * k, 1)) {
    if (what == Class::bf16_bf16) {
      append_16(c.x, c.x_values, v, false);
    } else {
      append(c.x, &v, 4);
      c.x_values.push_back(v);
    }
  }
  for (const float v : random_floats(n * k, 2)) {
    if (what == Class::f32_f32) {
      append(c.w, &v, 4);
      c.w_values.push_back(v);
    } else {
      append_16(c.w, c.w_values, v, what == Class::f32_f16);
    }
  }
  c.x_row_bytes = static_cast<size_t>(k) * (what == Class::bf16_bf16 ? 2 : 4);
  c.w_row_bytes = static_cast<size_t>(k) * (what == Class::f32_f32 ? 4 : 2);
  return c;
}

struct Part {
  int64_t row, rows, n_begin, n_end;
};

/// Rows [row, row + rows) times weights [n_begin, n_end) → (rows, n_end - n_begin); the rest of y must stay untouched.
std::vector<float> run(const Kernels& kernels, Class what, const Case& c, const Part& part) {
  const auto [row, rows, n_begin, n_end] = part;
  const int64_t n = n_end - n_begin, stride = n + 3;
  std::vector<float> y(static_cast<size_t>(rows * stride), 12345.0f);
  std::vector<std::byte> scratch(product_scratch_bytes());
  function_of(kernels, what)({.x = c.x.data() + static_cast<size_t>(row) * c.x_row_bytes,
                              .x_row_bytes = c.x_row_bytes,
                              .rows = rows,
                              .w = c.w.data(),
                              .w_row_bytes = c.w_row_bytes,
                              .n_begin = n_begin,
                              .n_end = n_end,
                              .k = c.k,
                              .y = y.data(),
                              .y_stride = stride,
                              .scratch = scratch.data()});
  std::vector<float> tight;
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = y.data() + r * stride;
    tight.insert(tight.end(), from, from + n);
    for (int64_t i = n; i < stride; ++i) EXPECT_EQ(from[i], 12345.0f) << "written past the weights of the call";
  }
  return tight;
}

class ProductTest : public EveryTable {};
BRAID_EVERY_TABLE(ProductTest);

TEST_P(ProductTest, EqualsTheExactSumWithinRoundingAtAwkwardSizes) {
  struct Size {
    int64_t rows, n, k;
  };
  const Size float_sizes[] = {{1, 1, 1},   {1, 9, 17},    {2, 17, 33},  {3, 25, 100},
                              {5, 31, 64}, {9, 25, 1100}, {131, 26, 47}};
  const Size int_sizes[] = {{1, 1, 32},   {1, 33, 64}, {2, 17, 96},  {3, 48, 32},
                            {5, 40, 160}, {7, 65, 64}, {23, 47, 320}};
  for (const Class what : kClasses) {
    for (const Size& s : is_integer(what) ? int_sizes : float_sizes) {
      const Case c = make_case(what, s.rows, s.n, s.k);
      const std::vector<float> y = run(kernels(), what, c, {0, s.rows, 0, s.n});
      for (int64_t r = 0; r < s.rows; ++r) {
        for (int64_t n = 0; n < s.n; ++n) {
          double exact = 0, magnitude = 0;
          for (int64_t k = 0; k < s.k; ++k) {
            const double term =
                c.x_values[static_cast<size_t>(r * s.k + k)] * c.w_values[static_cast<size_t>(n * s.k + k)];
            exact += term;
            magnitude += std::fabs(term);
          }
          // Integer sums of a block are exact: what rounds is one scale, one product and one addition per block.
          const double roundings = is_integer(what) ? static_cast<double>(s.k / 32) + 3 : static_cast<double>(s.k) + 4;
          const double bound = 2 * kEpsilon * std::sqrt(roundings) * magnitude + 1e-30;
          ASSERT_NEAR(y[static_cast<size_t>(r * s.n + n)], exact, bound)
              << kClassNames[static_cast<int>(what)] << ": " << s.rows << " x " << s.n << " x " << s.k << ", row " << r
              << ", weight " << n;
        }
      }
    }
  }
}

TEST_P(ProductTest, RowsAloneAndAmongOthersGiveTheSameBits) {
  for (const Class what : kClasses) {
    const int64_t rows = 139, n = 57, k = is_integer(what) ? 1120 : 1123;
    const Case c = make_case(what, rows, n, k);
    const std::vector<float> all = run(kernels(), what, c, {0, rows, 0, n});
    for (const int64_t count : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 130}) {
      for (int64_t row = 0; row + count <= rows; row += std::max<int64_t>(count, 8)) {
        const std::vector<float> some = run(kernels(), what, c, {row, count, 0, n});
        ASSERT_TRUE(same_bits(some.data(), all.data() + row * n, count * n))
            << kClassNames[static_cast<int>(what)] << ": " << count << " rows from " << row;
      }
    }
  }
}

TEST_P(ProductTest, CutsOfTheWeightsGiveTheSameBits) {
  for (const Class what : kClasses) {
    const int64_t n = 91, k = 192;
    for (const int64_t rows : {1, 2, 6, 20}) {
      const Case c = make_case(what, rows, n, k);
      const std::vector<float> all = run(kernels(), what, c, {0, rows, 0, n});
      const int64_t unit = is_integer(what) ? 16 : 1;
      for (const int64_t cut : {1, 2, 3, 5}) {
        const std::vector<float> left = run(kernels(), what, c, {0, rows, 0, cut * unit});
        const std::vector<float> right = run(kernels(), what, c, {0, rows, cut * unit, n});
        for (int64_t r = 0; r < rows; ++r) {
          ASSERT_TRUE(
              same_bits(&left[static_cast<size_t>(r * cut * unit)], &all[static_cast<size_t>(r * n)], cut * unit));
          ASSERT_TRUE(same_bits(&right[static_cast<size_t>(r * (n - cut * unit))],
                                &all[static_cast<size_t>(r * n + cut * unit)], n - cut * unit))
              << kClassNames[static_cast<int>(what)] << ": " << rows << " rows cut at " << cut * unit;
        }
      }
    }
  }
}

TEST_P(ProductTest, ExtremeCodesDoNotSaturate) {
  // 32 columns of the largest codes of both sides: a 16-bit intermediate would overflow.
  for (const int sign : {1, -1}) {
    Case c{.rows = 1, .n = 16, .k = 32, .x = {}, .w = {}, .x_values = {}, .w_values = {}};
    c.x_row_bytes = 40;
    c.x.assign(40, static_cast<std::byte>(sign * 127));
    const float scale = 1;
    const int32_t start = -128 * sign * 127 * 32;
    std::memcpy(c.x.data() + 32, &scale, 4);
    std::memcpy(c.x.data() + 36, &start, 4);
    c.w.assign(32 + 512, std::byte{255});
    for (int i = 0; i < 16; ++i) {
      const uint16_t one = 0x3c00;
      std::memcpy(c.w.data() + 2 * i, &one, 2);
    }
    for (const float y : run(kernels(), Class::q8_0, c, {0, 1, 0, 16}))
      EXPECT_EQ(y, static_cast<float>(sign * 127 * 127 * 32));
  }
}

TEST(Products, IntegerWeightsGiveTheSameNumbersWithAndWithoutFusedMultiplyAddWithinRounding) {
  const Case c = make_case(Class::q8_0, 5, 48, 320);
  const std::vector<const Kernels*> tables = available_tables();
  const std::vector<float> first = run(*tables.front(), Class::q8_0, c, {0, 5, 0, 48});
  for (const Kernels* table : tables) {
    const std::vector<float> y = run(*table, Class::q8_0, c, {0, 5, 0, 48});
    for (size_t i = 0; i < y.size(); ++i) {
      // Ten blocks of at most 127 · 127 · 32 · scales (2⁻⁸ each): a block rounds once, and once with
      // its group.
      EXPECT_NEAR(y[i], first[i], 2 * 10 * kEpsilon * 127 * 127 * 32 * 0x1p-16) << table->name;
    }
  }
}

}  // namespace
}  // namespace braid::cpu
