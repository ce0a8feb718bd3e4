#include "backend/cpu/every_table.h"
#include "formats/formats.h"

namespace braid::cpu {
namespace {

class RowsTest : public EveryTable {};
BRAID_EVERY_TABLE(RowsTest);

const int64_t kLengths[] = {1, 2, 3, 7, 15, 16, 17, 33, 100, 1023, 4099};

TEST_P(RowsTest, SumsAndMaximaOfEveryLength) {
  for (const int64_t n : kLengths) {
    const std::vector<float> x = random_floats(n, 4, -10, 10);
    double exact = 0, magnitude = 0;
    float largest = x[0];
    for (const float v : x) {
      exact += v;
      magnitude += std::fabs(v);
      largest = std::fmax(largest, v);
    }
    EXPECT_NEAR(kernels().sum(x.data(), n), exact, 2 * kEpsilon * magnitude) << n;
    EXPECT_EQ(kernels().max(x.data(), n), largest) << n;
  }
}

TEST_P(RowsTest, NormsEqualTheirDefinition) {
  for (const int64_t n : kLengths) {
    const std::vector<float> x = random_floats(n, 1, -3, 5), w = random_floats(n, 2), bias = random_floats(n, 3);
    double sum = 0, squares = 0, variance = 0;
    for (const float v : x) {
      sum += v;
      squares += static_cast<double>(v) * v;
    }
    const double count = static_cast<double>(n), mean = sum / count;
    for (const float v : x) variance += (v - mean) * (v - mean);
    const double rms = 1 / std::sqrt(squares / count + 1e-5), deviation = 1 / std::sqrt(variance / count + 1e-5);
    std::vector<float> y(x.size()), centred(x.size()), plain(x.size());
    kernels().rms_norm(x.data(), w.data(), 1e-5f, y.data(), n);
    kernels().layer_norm(x.data(), w.data(), bias.data(), 1e-5f, centred.data(), n);
    kernels().layer_norm(x.data(), w.data(), nullptr, 1e-5f, plain.data(), n);
    for (int64_t i = 0; i < n; ++i) {
      const double r = x[i] * rms * w[i], l = (x[i] - mean) * deviation * w[i];
      // Three roundings each (the factor, two products), and one for the bias.
      EXPECT_NEAR(y[i], r, 4 * kEpsilon * std::fabs(r) + 1e-12) << n;
      EXPECT_NEAR(plain[i], l, 5 * kEpsilon * std::fabs(l) + 1e-12) << n;
      EXPECT_NEAR(centred[i], l + bias[i], 5 * kEpsilon * (std::fabs(l) + std::fabs(bias[i])) + 1e-12) << n;
    }
  }
}

TEST_P(RowsTest, SoftmaxEqualsItsDefinitionAndMayWorkInPlace) {
  for (const int64_t n : kLengths) {
    std::vector<float> x = random_floats(n, 9, -20, 20);
    double largest = -1e9, total = 0;
    for (const float v : x) largest = std::max(largest, static_cast<double>(v));
    for (const float v : x) total += std::exp(v - largest);
    std::vector<float> y(x.size());
    kernels().softmax(x.data(), y.data(), n);
    for (int64_t i = 0; i < n; ++i) {
      const double exact = std::exp(x[i] - largest) / total;
      // x - max rounds: relative error |x - max| epsilon; exp 4 units; sum and factor one each.
      EXPECT_NEAR(y[i], exact, (12 + std::fabs(x[i] - largest)) * kEpsilon * exact + 1e-37) << n;
    }
    kernels().softmax(x.data(), x.data(), n);
    EXPECT_TRUE(same_bits(x.data(), y.data(), n));
  }
}

TEST_P(RowsTest, SoftmaxIgnoresMaskedElements) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float x[] = {-infinity, 0, -infinity, 0};
  float y[4];
  kernels().softmax(x, y, 4);
  EXPECT_EQ(y[0], 0);
  EXPECT_NEAR(y[1], 0.5, 4 * kEpsilon);
  EXPECT_EQ(y[2], 0);
  EXPECT_NEAR(y[3], 0.5, 4 * kEpsilon);
}

TEST_P(RowsTest, RopeRotatesPairs) {
  for (const int64_t half : {1, 4, 16, 24, 32, 50}) {
    std::vector<float> x = random_floats(2 * half, 1), c(static_cast<size_t>(half)), s(static_cast<size_t>(half));
    for (int64_t i = 0; i < half; ++i) {
      c[i] = std::cos(static_cast<float>(i));
      s[i] = std::sin(static_cast<float>(i));
    }
    std::vector<float> y(x.size());
    kernels().rope(x.data(), c.data(), s.data(), y.data(), half);
    for (int64_t i = 0; i < half; ++i) {
      const double a = x[i], b = x[i + half];
      EXPECT_NEAR(y[i], a * c[i] - b * s[i], 3 * kEpsilon * (std::fabs(a) + std::fabs(b)));
      EXPECT_NEAR(y[i + half], b * c[i] + a * s[i], 3 * kEpsilon * (std::fabs(a) + std::fabs(b)));
    }
    kernels().rope(x.data(), c.data(), s.data(), x.data(), half);
    EXPECT_TRUE(same_bits(x.data(), y.data(), 2 * half)) << "in place";
  }
}

TEST_P(RowsTest, SixteenBitFormatsDecodeEveryPattern) {
  std::vector<uint16_t> bits(65536);
  for (size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<uint16_t>(i);
  std::vector<float> f16(bits.size()), bf16(bits.size());
  kernels().decode_f16(reinterpret_cast<const std::byte*>(bits.data()), f16.data(), 65536);
  kernels().decode_bf16(reinterpret_cast<const std::byte*>(bits.data()), bf16.data(), 65536);
  for (size_t i = 0; i < bits.size(); ++i) {
    const double exact = double_from_f16(bits[i]);
    if (std::isnan(exact)) {
      EXPECT_TRUE(std::isnan(f16[i])) << i;
    } else {
      EXPECT_EQ(static_cast<double>(f16[i]), exact) << i;
    }
    const float expected = float_from_bf16(bits[i]);
    EXPECT_EQ(std::memcmp(&bf16[i], &expected, 4), 0) << i;
  }
}

TEST_P(RowsTest, SixteenBitFormatsEncodeToTheNearestEven) {
  // Every f16 and every midpoint of two neighbours, and the numbers beside the midpoints.
  std::vector<float> x;
  for (uint32_t i = 0; i < 0x7c00; ++i) {
    const auto here = static_cast<float>(double_from_f16(static_cast<uint16_t>(i)));
    const double next = i + 1 < 0x7c00 ? double_from_f16(static_cast<uint16_t>(i + 1)) : 65536.0;
    const auto middle = static_cast<float>((here + next) / 2);
    for (const float v : {here, middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 1e9f)}) {
      x.push_back(v);
      x.push_back(-v);
    }
  }
  for (const float v : {1e-30f, 1e10f, 1e38f, std::numeric_limits<float>::infinity()}) x.push_back(v);
  std::vector<uint16_t> f16(x.size()), bf16(x.size());
  const auto n = static_cast<int64_t>(x.size());
  kernels().encode_f16(x.data(), reinterpret_cast<std::byte*>(f16.data()), n);
  kernels().encode_bf16(x.data(), reinterpret_cast<std::byte*>(bf16.data()), n);
  for (size_t i = 0; i < x.size(); ++i) {
    const uint16_t magnitude = f16[i] & 0x7fff;
    ASSERT_LE(magnitude, 0x7c00) << x[i];
    EXPECT_EQ((f16[i] & 0x8000) != 0, std::signbit(x[i])) << x[i];
    const double v = std::fabs(static_cast<double>(x[i]));
    if (magnitude == 0x7c00) {
      EXPECT_GE(v, 65520.0);
    } else {
      const double error = std::fabs(double_from_f16(magnitude) - v);
      const double above = magnitude + 1 == 0x7c00 ? 65536.0 : double_from_f16(static_cast<uint16_t>(magnitude + 1));
      const double up = above - v,
                   down = magnitude == 0 ? 1e9 : v - double_from_f16(static_cast<uint16_t>(magnitude - 1));
      EXPECT_LE(error, std::fabs(up)) << x[i];
      EXPECT_LE(error, std::fabs(down)) << x[i];
      if (error == up || error == down) {
        EXPECT_EQ(magnitude & 1, 0) << "a tie goes to the even neighbour: " << x[i];
      }
    }
    EXPECT_EQ(bf16[i], bf16_from_float(x[i])) << x[i];
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  uint16_t bits = 0;
  kernels().encode_f16(&nan, reinterpret_cast<std::byte*>(&bits), 1);
  EXPECT_TRUE(std::isnan(double_from_f16(bits)));
  kernels().encode_bf16(&nan, reinterpret_cast<std::byte*>(&bits), 1);
  EXPECT_TRUE(std::isnan(float_from_bf16(bits)));
}

TEST_P(RowsTest, ActivationsAreEncodedBitwiseAsTheFormatDefines) {
  const int64_t n = 32 * 21;  // the last group has one block
  std::vector<float> x = random_floats(n, 11, -2, 2);
  for (int64_t i = 0; i < 128; ++i) x[i] = 0;
  for (int64_t i = 128; i < 160; ++i) x[i] = static_cast<float>(i - 128) + 0.5f;             // ties
  for (int64_t i = 256; i < 384; ++i) x[i] = std::ldexp(1.0f + static_cast<float>(i), -50);  // small numbers
  x[390] = std::numeric_limits<float>::quiet_NaN();
  x[513] = -std::numeric_limits<float>::infinity();
  std::vector<std::byte> row(row_bytes(Format::q8_act, n)), defined(row.size());
  kernels().encode_q8_act(x.data(), row.data(), n);
  format_ops(Format::q8_act).encode(x, defined.data());
  for (size_t i = 0; i < row.size(); ++i) ASSERT_EQ(row[i], defined[i]) << "byte " << i;
}

TEST_P(RowsTest, MeasuringLoopsDoWhatTheyCount) {
  std::vector<std::byte> data(70'000, std::byte{1});
  const uint64_t sum = kernels().read(data.data(), data.size());
  for (const size_t i : {size_t{0}, size_t{4095}, size_t{33'333}, size_t{65'535}, data.size() - 1}) {
    data[i] = std::byte{2};
    EXPECT_NE(kernels().read(data.data(), data.size()), sum) << "every byte is read, number " << i << " too";
    data[i] = std::byte{1};
  }
  for (double (*peak)(int64_t) : {kernels().peak_f32, kernels().peak_bf16, kernels().peak_int8}) {
    EXPECT_GT(peak(1), 0);
    EXPECT_EQ(peak(10), 10 * peak(1));
  }
}

}  // namespace
}  // namespace braid::cpu
