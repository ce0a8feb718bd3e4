// f16, bf16 and the 8-bit floats against their definitions, code by code.
#include "formats/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "formats/formats.h"
#include "formats/small_float.h"

namespace braid {
namespace {

using F16 = SmallFloat<5, 10, true>;
using BF16 = SmallFloat<8, 7, true>;
using E4M3 = SmallFloat<4, 3, false>;
using E5M2 = SmallFloat<5, 2, true>;

uint32_t bits(float x) { return std::bit_cast<uint32_t>(x); }

template <class Float, class Decode>
void expect_every_code(uint32_t codes, Decode decode) {
  for (uint32_t code = 0; code < codes; ++code) {
    const float wanted = Float::decode(code), got = decode(code);
    if (std::isnan(wanted))
      EXPECT_TRUE(std::isnan(got)) << code;
    else
      ASSERT_EQ(bits(got), bits(wanted)) << code;
  }
}

TEST(HalfFormats, DecodeEveryCode) {
  expect_every_code<F16>(1u << 16, [](uint32_t c) { return half_to_float(static_cast<uint16_t>(c)); });
  expect_every_code<BF16>(1u << 16, [](uint32_t c) { return bfloat_to_float(static_cast<uint16_t>(c)); });
}

TEST(HalfFormats, EncodeGivesEveryCodeBack) {
  for (uint32_t code = 0; code < 1u << 16; ++code) {
    const auto c = static_cast<uint16_t>(code);
    if (!std::isnan(half_to_float(c))) {
      ASSERT_EQ(float_to_half(half_to_float(c)), c);
    }
    if (!std::isnan(bfloat_to_float(c))) {
      ASSERT_EQ(float_to_bfloat(bfloat_to_float(c)), c);
    }
  }
}

/// Each number between two neighbouring codes goes to the nearer, a number in the middle to the even one.
TEST(HalfFormats, EncodeRoundsToNearestEven) {
  for (uint32_t code = 0; code < 0x7c00; ++code) {
    const double low = F16::decode(code), high = code == 0x7bff ? 65536.0 : F16::decode(code + 1);
    const auto middle = static_cast<float>((low + high) / 2);  // 12 bits of mantissa: exact
    EXPECT_EQ(float_to_half(middle), code % 2 == 0 ? code : code + 1);
    EXPECT_EQ(float_to_half(std::nextafter(middle, 0.0f)), code);
    EXPECT_EQ(float_to_half(std::nextafter(middle, 1e6f)), code + 1);
    EXPECT_EQ(float_to_half(-middle), 0x8000 | (code % 2 == 0 ? code : code + 1));
  }
  for (uint32_t code = 0; code < 0x7f80; code += 7) {
    const float middle = std::bit_cast<float>(code << 16 | 0x8000u);
    EXPECT_EQ(float_to_bfloat(middle), code % 2 == 0 ? code : code + 1);
    EXPECT_EQ(float_to_bfloat(std::nextafter(middle, 0.0f)), code);
  }
}

TEST(HalfFormats, EncodeAgreesWithTheDefinitionOnRandomFloats) {
  std::mt19937 random(7);
  for (int i = 0; i < 200'000; ++i) {
    const float x = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (std::isnan(x)) continue;
    ASSERT_EQ(float_to_half(x), F16::encode(x)) << x;
    ASSERT_EQ(float_to_bfloat(x), BF16::encode(x)) << x;
  }
}

TEST(HalfFormats, KeepInfinitiesAndQuietNaNs) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(float_to_half(inf), 0x7c00);
  EXPECT_EQ(float_to_half(-inf), 0xfc00);
  EXPECT_EQ(float_to_half(65519.996f), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_bfloat(inf), 0x7f80);
  for (uint32_t nan : {0x7fc00000u, 0x7f800001u, 0xffffffffu, 0x7fa00000u}) {
    const float x = std::bit_cast<float>(nan);
    EXPECT_TRUE(std::isnan(half_to_float(float_to_half(x)))) << nan;
    EXPECT_TRUE(std::isnan(bfloat_to_float(float_to_bfloat(x)))) << nan;
    EXPECT_EQ(std::signbit(half_to_float(float_to_half(x))), std::signbit(x)) << nan;
  }
}

TEST(EightBitFloats, HaveTheNumbersOfTheirPaper) {
  auto decode = [](Format f, uint8_t code) {
    float x;
    format_ops(f).decode(reinterpret_cast<const std::byte*>(&code), {&x, 1});
    return x;
  };
  EXPECT_EQ(decode(Format::f8e4m3, 0x7e), 448.0f);
  EXPECT_TRUE(std::isnan(decode(Format::f8e4m3, 0x7f)));
  EXPECT_EQ(decode(Format::f8e4m3, 0x01), 0x1p-9f);
  EXPECT_EQ(decode(Format::f8e4m3, 0x08), 0x1p-6f);
  EXPECT_EQ(decode(Format::f8e4m3, 0xb8), -1.0f);
  EXPECT_EQ(decode(Format::f8e5m2, 0x7b), 57344.0f);
  EXPECT_TRUE(std::isinf(decode(Format::f8e5m2, 0x7c)));
  EXPECT_EQ(decode(Format::f8e5m2, 0x01), 0x1p-16f);
  EXPECT_EQ(decode(Format::f8e5m2, 0x3c), 1.0f);
}

template <class Float>
void expect_nearest(Format format) {
  for (float x = -500; x < 500; x += 0.37f) {
    uint8_t code;
    format_ops(format).encode({&x, 1}, reinterpret_cast<std::byte*>(&code));
    if (std::isnan(Float::decode(code))) {
      EXPECT_GT(std::fabs(x), 464.0f);  // half a step beyond the greatest number
      continue;
    }
    for (uint32_t other = 0; other < 256; ++other)
      if (!std::isnan(Float::decode(other))) {
        ASSERT_LE(std::fabs(Float::decode(code) - x), std::fabs(Float::decode(other) - x)) << x;
      }
  }
}

TEST(EightBitFloats, EncodeToTheNearestNumber) {
  expect_nearest<E4M3>(Format::f8e4m3);
  expect_nearest<E5M2>(Format::f8e5m2);
}

}  // namespace
}  // namespace braid
