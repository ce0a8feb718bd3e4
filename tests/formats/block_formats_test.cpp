// GGUF's block formats against their published definitions, by blocks that can be worked out by hand; the golden
// checkpoints test them on whole files.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "formats/e2m1.h"
#include "formats/formats.h"
#include "formats/grids.h"
#include "formats/half.h"

namespace braid {
namespace {

using Bytes = std::vector<uint8_t>;

void put_half(Bytes& block, size_t at, float x) {
  const uint16_t half = float_to_half(x);
  block[at] = static_cast<uint8_t>(half);
  block[at + 1] = static_cast<uint8_t>(half >> 8);
}

std::vector<float> decoded(Format format, const Bytes& block) {
  std::vector<float> row(block.size() / info(format).block_bytes * info(format).block_elements);
  format_ops(format).decode(reinterpret_cast<const std::byte*>(block.data()), row);
  return row;
}

Bytes empty(Format format) { return Bytes(info(format).block_bytes); }

Bytes encoded(Format format, const std::vector<float>& row) {
  Bytes bytes(row_bytes(format, row.size()));
  format_ops(format).encode(row, reinterpret_cast<std::byte*>(bytes.data()));
  return bytes;
}

std::vector<float> normal(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> numbers(0, 1);
  std::vector<float> out(n);
  for (float& x : out) x = numbers(random);
  return out;
}

double squared_error(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

TEST(Q4_1, HasAScaleAMinimumAndTwoHalvesOfNibbles) {
  Bytes block = empty(Format::q4_1);
  put_half(block, 0, 0.5f);
  put_half(block, 2, -3);
  block[4 + 1] = 0xf2;  // elements 1 and 17
  const std::vector<float> row = decoded(Format::q4_1, block);
  EXPECT_EQ(row[0], -3);
  EXPECT_EQ(row[1], 0.5f * 2 - 3);
  EXPECT_EQ(row[17], 0.5f * 15 - 3);
}

TEST(Q5_0, HasAFifthBitForEachElement) {
  Bytes block = empty(Format::q5_0);
  put_half(block, 0, 2);
  block[2 + 17 / 8] = 1 << 17 % 8;
  block[6 + 1] = 0x30;
  const std::vector<float> row = decoded(Format::q5_0, block);
  EXPECT_EQ(row[0], 2.0f * -16);
  EXPECT_EQ(row[17], 2.0f * (16 + 3 - 16));
}

TEST(Q5_1, HasAFifthBitAndAMinimum) {
  Bytes block = empty(Format::q5_1);
  put_half(block, 0, 2);
  put_half(block, 2, 1);
  block[4] = 1 << 3;
  block[8 + 3] = 0x05;
  EXPECT_EQ(decoded(Format::q5_1, block)[3], 2.0f * 21 + 1);
}

TEST(Q2K, MultipliesScalesByTheBlocksFactors) {
  Bytes block = empty(Format::q2_k);
  put_half(block, 80, 0.25f);
  put_half(block, 82, 0.5f);
  block[9] = 3 << 4 | 2;             // elements 144 … 159: scale 2, minimum 3
  block[16 + 32 + 17] = 3 << 2 * 0;  // element 128 + 17
  const std::vector<float> row = decoded(Format::q2_k, block);
  EXPECT_EQ(row[145], 0.25f * 2 * 3 - 0.5f * 3);
  EXPECT_EQ(row[144], -0.5f * 3);
  EXPECT_EQ(row[0], 0);
}

TEST(Q3K, TakesTheThirdBitAsAbsentFour) {
  Bytes block = empty(Format::q3_k);
  put_half(block, 108, 0.5f);
  block[96 + 8 + 3] = 3 << 2;  // scale 7: high bits 3, low nibble 0 → 48 - 32
  block[0] = 1 << 3;           // element 96
  block[32] = 2 << 2 * 3;      // element 96
  const std::vector<float> row = decoded(Format::q3_k, block);
  EXPECT_EQ(row[6 * 16 + 0], 0.5f * (0 - 32) * 2);
  EXPECT_EQ(row[7 * 16 + 0], 0.5f * (48 - 32) * -4);
}

TEST(Q4K, SpreadsSixBitScalesOverTwelveBytes) {
  Bytes block = empty(Format::q4_k);
  put_half(block, 0, 0.5f);
  put_half(block, 2, 0.25f);
  uint8_t* packed = block.data() + 4;
  packed[1] = 33;                          // scale 1
  packed[5] = 7;                           // minimum 1
  packed[2] |= 2 << 6, packed[10] = 0x95;  // scale 6: 2·16 + 5; minimum 6: 3·16 + 9
  packed[6] |= 3 << 6;
  block[16 + 4] = 0xa0;        // element 32 + 4
  block[16 + 96 + 31] = 0x0c;  // element 192 + 31
  const std::vector<float> row = decoded(Format::q4_k, block);
  EXPECT_EQ(row[36], 0.5f * 33 * 10 - 0.25f * 7);
  EXPECT_EQ(row[223], 0.5f * 37 * 12 - 0.25f * 57);
}

TEST(Q5K, AddsABitOfEachGroup) {
  Bytes block = empty(Format::q5_k);
  put_half(block, 0, 1);
  block[4 + 3] = 2;        // scale of group 3
  block[16 + 5] = 1 << 3;  // element 96 + 5
  block[48 + 32 + 5] = 0x70;
  EXPECT_EQ(decoded(Format::q5_k, block)[101], 2.0f * (16 + 7));
}

TEST(Q6K, HasSignedScalesAndCodesAround32) {
  Bytes block = empty(Format::q6_k);
  put_half(block, 208, 0.5f);
  block[192 + 12] = static_cast<uint8_t>(-3);  // elements 192 … 207
  block[64 + 1] = 0x50;                        // element 128 + 64 + 1, low nibble
  block[128 + 32 + 1] = 2 << 4;                // its high bits
  const std::vector<float> row = decoded(Format::q6_k, block);
  EXPECT_EQ(row[193], 0.5f * -3 * (2 * 16 + 5 - 32));
  EXPECT_EQ(row[192], 0.5f * -3 * -32);
}

TEST(Iq4, LooksNumbersUpInOneTable) {
  Bytes nl = empty(Format::iq4_nl);
  put_half(nl, 0, 2);
  nl[2] = 0xf0;
  EXPECT_EQ(decoded(Format::iq4_nl, nl)[0], 2.0f * -127);
  EXPECT_EQ(decoded(Format::iq4_nl, nl)[16], 2.0f * 113);
  Bytes xs = empty(Format::iq4_xs);
  put_half(xs, 0, 2);
  xs[3] = 3 << 6;      // group 7: high bits 3
  xs[4 + 3] = 5 << 4;  // its low nibble
  xs[8 + 16 * 7] = 0x08;
  EXPECT_EQ(decoded(Format::iq4_xs, xs)[224], 2.0f * (3 * 16 + 5 - 32) * 1);
}

TEST(Iq2, TakesTheEighthSignFromTheOthersParity) {
  EXPECT_EQ(formats::signs_of(0), 0);
  EXPECT_EQ(formats::signs_of(1), 0x81);
  EXPECT_EQ(formats::signs_of(3), 3);
  EXPECT_EQ(formats::signs_of(127), 0xff);
  Bytes block = empty(Format::iq2_xxs);
  put_half(block, 0, 4);
  block[2 + 1] = 1;                             // the second entry of the grid: its first number is the table's third
  block[2 + 4] = static_cast<uint8_t>(1 << 7);  // part 1: element 8 is negative, and so is element 15
  block[2 + 7] = 2 << 4;                        // scale 2
  const std::vector<float> row = decoded(Format::iq2_xxs, block);
  const float scale = 4 * (0.5f + 2) * 0.25f;
  EXPECT_EQ(row[0], scale * 8);
  EXPECT_EQ(row[8], -scale * 43);
  EXPECT_EQ(row[9], scale * 8);
  EXPECT_EQ(row[15], -scale * 8);
}

TEST(Grids, AreSortedAndStayWithinTheirAlphabets) {
  const auto check = [](const auto& grid, int digits, int bits, unsigned letters) {
    EXPECT_TRUE(std::is_sorted(grid.begin(), grid.end()));
    for (const uint16_t entry : grid)
      for (int i = 0; i < digits; ++i) EXPECT_LT(entry >> bits * i & ((1 << bits) - 1), static_cast<int>(letters));
  };
  check(formats::kIq1S, 8, 2, 3);
  check(formats::kIq2Xxs, 8, 2, 3);
  check(formats::kIq2Xs, 8, 2, 3);
  check(formats::kIq2S, 8, 2, 3);
  check(formats::kIq3Xxs, 4, 3, 8);
  check(formats::kIq3S, 4, 3, 8);
}

TEST(Tq1_0, ReadsDigitsInBaseThree) {
  Bytes block = empty(Format::tq1_0);
  put_half(block, 52, 2);
  // Digits 2 0 1 2 2 of elements 0, 32, 64, 96, 128: the fraction rounded up.
  const int digits = (((2 * 3 + 0) * 3 + 1) * 3 + 2) * 3 + 2;
  block[0] = static_cast<uint8_t>((digits * 256 + 242) / 243);
  const std::vector<float> row = decoded(Format::tq1_0, block);
  EXPECT_EQ(row[0], 2);
  EXPECT_EQ(row[32], -2);
  EXPECT_EQ(row[64], 0);
  EXPECT_EQ(row[96], 2);
  EXPECT_EQ(row[128], 2);
}

TEST(Mxfp4, ScalesByAPowerOfTwo) {
  Bytes block = empty(Format::mxfp4);
  block[0] = 127 + 3;
  block[1] = 0x7f;
  EXPECT_EQ(decoded(Format::mxfp4, block)[0], 8.0f * -6);
  EXPECT_EQ(decoded(Format::mxfp4, block)[16], 8.0f * 6);
  EXPECT_EQ(formats::e8m0(0), 0x1p-127f);
  EXPECT_EQ(formats::e8m0(1), 0x1p-126f);
  EXPECT_EQ(formats::e8m0(254), 0x1p127f);
  EXPECT_TRUE(std::isnan(formats::e8m0(255)));
}

TEST(Mxfp4, GivesItsOwnNumbersBack) {
  std::vector<float> row(32);
  for (size_t i = 0; i < 32; ++i) row[i] = 0.25f * formats::kE2m1[i % 16];
  EXPECT_EQ(decoded(Format::mxfp4, encoded(Format::mxfp4, row)), row);
}

TEST(Nvfp4, HasAnE4m3ScalePerSixteen) {
  Bytes block = empty(Format::nvfp4);
  block[2] = 0x40;           // 2
  block[3] = 0x7f;           // all ones: 0
  block[4 + 16 + 1] = 0x5b;  // elements 33 and 41
  block[4 + 24] = 0x77;
  const std::vector<float> row = decoded(Format::nvfp4, block);
  EXPECT_EQ(row[33], 2.0f * -1.5f);
  EXPECT_EQ(row[41], 2.0f * 3);
  EXPECT_EQ(row[48], 0);
}

TEST(BlockFormats, AreReadOnlyWhereNobodyWritesThem) {
  for (const Format f : {Format::iq1_s, Format::iq2_xxs, Format::iq3_s, Format::iq4_xs, Format::tq1_0, Format::nf4_g64})
    EXPECT_EQ(format_ops(f).encode, nullptr) << info(f).name;
}

class Written : public testing::TestWithParam<Format> {};

TEST_P(Written, ZerosStayZeros) {
  for (const float x : decoded(GetParam(), encoded(GetParam(), std::vector<float>(512)))) EXPECT_EQ(x, 0);
}

TEST_P(Written, ABlockWithNaNOrInfinityIsNotFinite) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    std::vector<float> row = normal(512, 4);
    row[5] = bad;
    const std::vector<float> back = decoded(GetParam(), encoded(GetParam(), row));
    const size_t block = info(GetParam()).block_elements;
    EXPECT_TRUE(std::any_of(back.begin(), back.begin() + static_cast<std::ptrdiff_t>(block), [](float x) {
      return !std::isfinite(x);
    })) << bad;
    EXPECT_TRUE(std::all_of(back.begin() + static_cast<std::ptrdiff_t>(block), back.end(),
                            [](float x) { return std::isfinite(x); }));
  }
}

TEST_P(Written, TinyAndHugeNumbersAreTakenWithoutHarm) {
  for (const float size : {1e-38f, 1e-30f, 1e-6f, 1e4f}) {
    std::vector<float> row = normal(256, 6);
    float greatest = 0;
    for (float& x : row) greatest = std::max(greatest, std::fabs(x *= size));
    for (const float x : decoded(GetParam(), encoded(GetParam(), row))) EXPECT_LE(std::fabs(x), 2 * greatest);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Written,
                         testing::Values(Format::q4_k, Format::q5_k, Format::q6_k, Format::iq4_nl, Format::mxfp4),
                         [](const auto& test) { return std::string(braid::info(test.param).name); });

/// What a search for scales must at least reach: the plain formats of the same codes with a scale per 32.
TEST(SearchedScales, LoseLessThanPlainOnes) {
  const std::vector<float> row = normal(8192, 12);
  const auto loss = [&](Format f) { return squared_error(decoded(f, encoded(f, row)), row); };
  EXPECT_LT(loss(Format::q4_k), 0.9 * loss(Format::q4_1));
  EXPECT_LT(loss(Format::q5_k), 0.9 * loss(Format::q5_1));
  EXPECT_LT(loss(Format::iq4_nl), 0.9 * loss(Format::q4_0));
  EXPECT_LT(loss(Format::q6_k), 0.35 * loss(Format::q5_0));
}

TEST(Groups, HoldAnyScaleAndZeroPointExactly) {
  std::vector<uint8_t> codes(128);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<uint8_t>(i * 7 % 16);
  const float scale = 0x1.fffffep-20f;
  for (const Format f : {Format::i4_g16, Format::i4_g32, Format::i4_g128, Format::i8_g32, Format::i8_g128}) {
    Bytes block = empty(f);
    format_ops(f).assemble({codes.data(), scale, 5}, reinterpret_cast<std::byte*>(block.data()));
    const std::vector<float> row = decoded(f, block);
    for (size_t i = 0; i < row.size(); ++i) EXPECT_EQ(row[i], scale * static_cast<float>(codes[i] - 5));
  }
  for (const Format f : {Format::e2m1_g16, Format::mxfp4}) {
    Bytes block = empty(f);
    format_ops(f).assemble({codes.data(), 0x1p-5f, 0}, reinterpret_cast<std::byte*>(block.data()));
    const std::vector<float> row = decoded(f, block);
    for (size_t i = 0; i < row.size(); ++i) EXPECT_EQ(row[i], 0x1p-5f * formats::kE2m1[codes[i]]);
  }
}

TEST(Groups, ARowOfBytesHasASign) {
  std::vector<uint8_t> codes(32, 0x81);  // -127
  Bytes block = empty(Format::llm_int8);
  format_ops(Format::llm_int8).assemble({codes.data(), 3, 0}, reinterpret_cast<std::byte*>(block.data()));
  EXPECT_EQ(decoded(Format::llm_int8, block)[0], -127.0f * 3 * (1.0f / 127));
  codes.assign(128, 0xc0);  // -2 as e4m3
  block = empty(Format::e4m3_g128);
  format_ops(Format::e4m3_g128).assemble({codes.data(), 3, 0}, reinterpret_cast<std::byte*>(block.data()));
  EXPECT_EQ(decoded(Format::e4m3_g128, block)[127], -6);
}

}  // namespace
}  // namespace braid
