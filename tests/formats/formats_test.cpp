// The table of formats, the block formats against their published definitions, and the interleaved layout.
#include "formats/formats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "core/error.h"
#include "formats/half.h"

namespace braid {
namespace {

std::vector<float> normal(size_t n, uint32_t seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> numbers(0, scale);
  std::vector<float> out(n);
  for (float& x : out) x = numbers(random);
  return out;
}

std::vector<uint8_t> encoded(Format format, const std::vector<float>& row) {
  std::vector<uint8_t> bytes(row_bytes(format, row.size()));
  format_ops(format).encode(row, reinterpret_cast<std::byte*>(bytes.data()));
  return bytes;
}

std::vector<float> decoded(Format format, const std::vector<uint8_t>& bytes, size_t n) {
  std::vector<float> row(n);
  format_ops(format).decode(reinterpret_cast<const std::byte*>(bytes.data()), row);
  return row;
}

TEST(Formats, EachHasItsOwnLine) {
  for (int i = 0; i < kFormats; ++i) {
    const auto format = static_cast<Format>(i);
    EXPECT_EQ(format_ops(format).format, format) << info(format).name;
    const FormatOps& ops = format_ops(format);
    EXPECT_EQ(ops.blocks.read != nullptr, ops.weight_class == WeightClass::integer) << info(format).name;
  }
}

TEST(Formats, DecodeWithinTheirEpsilonOfWhatWasEncoded) {
  for (int i = 0; i < kFormats; ++i) {
    const auto format = static_cast<Format>(i);
    if (info(format).integer || format_ops(format).encode == nullptr) continue;
    const std::vector<float> row = normal(512, 3);
    const std::vector<float> back = decoded(format, encoded(format, row), row.size());
    // Numbers under one scale.
    const size_t sharing = format == Format::q8_act ? 128 : std::max<size_t>(info(format).block_elements, 32);
    for (size_t at = 0; at < row.size(); at += sharing) {
      float greatest = 0;
      for (size_t j = at; j < at + sharing; ++j) greatest = std::max(greatest, std::fabs(row[j]));
      for (size_t j = at; j < at + sharing; ++j) {
        // Relative to the number; in blocks to the greatest of its block, whose scale is itself rounded to f16 at
        // worst. Numbers below the normal range of an 8-bit float have the spacing of its subnormals.
        const double scale = is_quantized(format) ? greatest : std::max(std::fabs(row[j]), 0x1p-6f);
        // One-level formats reach one step less far on the side opposite to their greatest number: up to a whole step
        // is lost there. Formats whose scales minimise squares may lose it at either end.
        const double steps = is_quantized(format) && format != Format::q8_0 && format != Format::q8_act ? 2 : 1;
        const double rounding = steps * info(format).epsilon + (is_quantized(format) ? 0x1p-11 : 0);
        EXPECT_LE(std::fabs(back[j] - row[j]), rounding * scale * (1 + 1e-6)) << info(format).name << " " << row[j];
      }
    }
  }
}

TEST(Formats, IntegersTruncateAndKeepToTheirRange) {
  const std::vector<float> row = {1.9f, -1.9f, 300, -300, 1e30f, -1e30f, NAN, 0};
  EXPECT_EQ(decoded(Format::i8, encoded(Format::i8, row), 8), (std::vector<float>{1, -1, 127, -128, 127, -128, 0, 0}));
  EXPECT_EQ(decoded(Format::u8, encoded(Format::u8, row), 8), (std::vector<float>{1, 0, 255, 0, 255, 0, 0, 0}));
  const std::vector<uint8_t> wide = encoded(Format::i32, row);
  int32_t greatest, least;
  std::memcpy(&greatest, &wide[16], 4);
  std::memcpy(&least, &wide[20], 4);
  EXPECT_EQ(greatest, std::numeric_limits<int32_t>::max());
  EXPECT_EQ(least, std::numeric_limits<int32_t>::min());
}

// Blocks that can be worked out by hand from ggml's reference.
TEST(Q8_0, WritesWhatGgufDefines) {
  std::vector<float> row(32, 0.0f);
  row[0] = 127;  // the scale is 1
  row[1] = -127;
  row[2] = 2.5f;  // halves away from zero
  row[3] = -2.5f;
  row[4] = 0.49f;
  const std::vector<uint8_t> block = encoded(Format::q8_0, row);
  EXPECT_EQ(block[0] | block[1] << 8, 0x3c00);
  const int8_t wanted[] = {127, -127, 3, -3, 0, 0};
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(static_cast<int8_t>(block[2 + i]), wanted[i]) << i;
}

TEST(Q8_0, TakesCodesFromTheScaleBeforeItIsRounded) {
  const std::vector<float> row = normal(32, 11, 3);
  const std::vector<uint8_t> block = encoded(Format::q8_0, row);
  float greatest = 0;
  for (float x : row) greatest = std::max(greatest, std::fabs(x));
  EXPECT_EQ(block[0] | block[1] << 8, float_to_half(greatest / 127));
  for (size_t i = 0; i < 32; ++i)
    EXPECT_EQ(static_cast<int8_t>(block[2 + i]), std::lround(row[i] * (1.0f / (greatest / 127)))) << i;
}

TEST(Q4_0, WritesWhatGgufDefines) {
  std::vector<float> row(32, 0.0f);
  row[5] = -8;    // the greatest magnitude becomes code 0, exactly: the scale is 1
  row[0] = 7.9f;  // would be 16: the last code
  row[1] = 1.5f;  // 1.5 + 8.5 = 10
  row[17] = -1.5f;
  row[16] = 3;
  const std::vector<uint8_t> block = encoded(Format::q4_0, row);
  EXPECT_EQ(block[0] | block[1] << 8, 0x3c00);
  EXPECT_EQ(block[2 + 0], 15 | 11 << 4);  // elements 0 and 16
  EXPECT_EQ(block[2 + 1], 10 | 7 << 4);   // elements 1 and 17
  EXPECT_EQ(block[2 + 5], 0 | 8 << 4);
  EXPECT_EQ(block[2 + 9], 8 | 8 << 4);
  row[5] = 8;  // the opposite sign turns the scale around
  EXPECT_EQ(encoded(Format::q4_0, row)[1], 0xbc);
}

TEST(Q4_0, TakesTheFirstOfEqualMagnitudes) {
  std::vector<float> row(32, 0.0f);
  row[3] = 4;
  row[9] = -4;
  const std::vector<float> back = decoded(Format::q4_0, encoded(Format::q4_0, row), 32);
  EXPECT_EQ(back[3], 4);      // code -8 of a negative scale
  EXPECT_EQ(back[9], -3.5f);  // code 7
}

TEST(BlockFormats, GiveZerosForZeros) {
  for (Format format : {Format::q8_0, Format::q4_0, Format::q8_act})
    for (float x : decoded(format, encoded(format, std::vector<float>(64, 0.0f)), 64)) EXPECT_EQ(x, 0.0f);
}

TEST(Q8Act, HoldsCodesScalesOfGroupsAndStartsOfBlocks) {
  const size_t n = 160, blocks = n / 32;  // a group of four blocks, and one of one
  std::vector<float> row = normal(n, 5);
  for (float& x : row) x = std::fmod(x, 3.0f);
  row[77] = -4;  // the greatest of the first group, in its third block
  const std::vector<uint8_t> bytes = encoded(Format::q8_act, row);
  ASSERT_EQ(bytes.size(), n + blocks * 4 + blocks * 4);
  std::vector<float> scales(blocks);
  std::vector<int32_t> starts(blocks);
  std::memcpy(scales.data(), &bytes[n], 4 * blocks);
  std::memcpy(starts.data(), &bytes[n + 4 * blocks], 4 * blocks);
  EXPECT_EQ(static_cast<int8_t>(bytes[77]), -127);
  for (size_t block = 0; block < blocks; ++block) {
    const size_t begin = block / 4 * 128, end = std::min(begin + 128, n);
    float greatest = 0;
    for (size_t i = begin; i < end; ++i) greatest = std::max(greatest, std::fabs(row[i]));
    EXPECT_EQ(scales[block], greatest / 127.0f);
    int32_t sum = 0;
    for (size_t i = block * 32; i < block * 32 + 32; ++i) {
      const auto code = static_cast<int8_t>(bytes[i]);
      EXPECT_EQ(code, std::nearbyint(row[i] * (127.0f / greatest)));
      sum += code;
    }
    EXPECT_EQ(starts[block], -128 * sum);
  }
}

TEST(Q8Act, RoundsHalvesToEven) {
  std::vector<float> row(32, 0.0f);
  row[0] = 127;
  row[1] = 2.5f;
  row[2] = 3.5f;
  row[3] = -0.5f;
  const std::vector<uint8_t> bytes = encoded(Format::q8_act, row);
  EXPECT_EQ(static_cast<int8_t>(bytes[1]), 2);
  EXPECT_EQ(static_cast<int8_t>(bytes[2]), 4);
  EXPECT_EQ(static_cast<int8_t>(bytes[3]), 0);
}

TEST(Q8Act, LosesNoNaNAndNoInfinity) {
  for (float bad : {NAN, INFINITY, -INFINITY}) {
    std::vector<float> row = normal(160, 9);
    row[3] = bad;
    const std::vector<float> back = decoded(Format::q8_act, encoded(Format::q8_act, row), 160);
    EXPECT_TRUE(std::isnan(back[0]));
    EXPECT_TRUE(std::isnan(back[127]));
    EXPECT_TRUE(std::isfinite(back[128]));
  }
}

TEST(Q8Act, TakesGroupsBelowItsLeastMagnitudeAsZeros) {
  std::vector<float> row(32, 0x1.fp-91f);
  row[1] = 1e-40f;
  for (float x : decoded(Format::q8_act, encoded(Format::q8_act, row), 32)) EXPECT_EQ(x, 0.0f);
}

Tensor weights(int64_t n, int64_t k, Format format) {
  Tensor w = Tensor::make({n, k}, format);
  for (int64_t r = 0; r < n; ++r) {
    const std::vector<uint8_t> row = encoded(format, normal(static_cast<size_t>(k), static_cast<uint32_t>(r)));
    std::memcpy(w.bytes() + static_cast<size_t>(r) * row.size(), row.data(), row.size());
  }
  return w;
}

TEST(Interleave16, GivesEveryByteBack) {
  for (Format format : {Format::q8_0, Format::q4_0})
    for (auto [n, k] : {std::pair<int64_t, int64_t>{1, 32}, {16, 64}, {17, 96}, {40, 32}}) {
      const Tensor w = weights(n, k, format);
      const Tensor pack = interleave16(w);
      EXPECT_EQ(pack.layout, Layout::interleave16);
      EXPECT_EQ(pack.byte_size(),
                static_cast<uint64_t>((n + 15) / 16 * 16) * row_bytes(format, static_cast<uint64_t>(k)));
      const Tensor back = deinterleave16(pack);
      ASSERT_EQ(std::memcmp(back.bytes(), w.bytes(), w.byte_size()), 0);
      std::vector<float> a(static_cast<size_t>(k)), b(a.size());
      for (int64_t r = 0; r < n; ++r) {
        decode_row(pack, r, a);
        decode_row(w, r, b);
        EXPECT_EQ(a, b);
      }
    }
}

// The layout as core/type.h words it: scales first, then groups of four columns.
TEST(Interleave16, LiesAsItsDefinitionSays) {
  const int64_t lane = 5, column = 22;
  std::vector<float> row(32, 0.0f);
  row[0] = 127;
  row[column] = 3;
  Tensor w = Tensor::make({16, 32}, Format::q8_0);
  std::vector<uint8_t> block = encoded(Format::q8_0, row);
  std::memcpy(w.bytes() + lane * 34, block.data(), 34);
  Tensor pack = interleave16(w);
  uint16_t scale;
  std::memcpy(&scale, pack.bytes() + 2 * lane, 2);
  EXPECT_EQ(scale, 0x3c00);
  EXPECT_EQ(static_cast<uint8_t>(pack.bytes()[32 + column / 4 * 64 + 4 * lane + column % 4]), 3 + 128);

  row.assign(32, 0.0f);
  row[0] = -8;
  row[column] = 3;
  w = Tensor::make({16, 32}, Format::q4_0);
  block = encoded(Format::q4_0, row);
  std::memcpy(w.bytes() + lane * 18, block.data(), 18);
  pack = interleave16(w);
  const auto byte = static_cast<uint8_t>(pack.bytes()[32 + (column / 4 - 4) * 64 + 4 * lane + column % 4]);
  EXPECT_EQ(byte >> 4, 3 + 8);  // columns 16 … 31 are high nibbles
  EXPECT_EQ(byte & 15, 8);      // column 6, a zero
}

TEST(Interleave16, RefusesWhatHasNoBlocks) {
  EXPECT_THROW(interleave16(Tensor::make({16, 32}, Format::f32)), ShapeError);
  EXPECT_THROW(interleave16(Tensor::make({2, 16, 32}, Format::q8_0)), ShapeError);
}

}  // namespace
}  // namespace braid
