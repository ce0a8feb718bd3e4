#include <functional>
#include <limits>

#include "backend/cpu/every_table.h"

namespace braid::cpu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

class ElementwiseTest : public EveryTable {};
BRAID_EVERY_TABLE(ElementwiseTest);

/// Distance of two neighbours of f32 at |x|.
double unit_in_last_place(double x) {
  const int exponent = std::max(-126, static_cast<int>(std::floor(std::log2(std::fabs(x)))));
  return std::ldexp(1.0, exponent - 23);
}

/// Values over the whole range, and dense around zero.
std::vector<float> sweep(float low, float high) {
  std::vector<float> values = random_floats(20011, 5, low, high);
  for (const float scale : {1e-30f, 1e-8f, 1e-4f, 0.01f, 0.3f, 1.0f, 4.0f}) {
    for (const float v : random_floats(997, 6, -scale, scale)) {
      if (v >= low && v <= high) values.push_back(v);
    }
  }
  return values;
}

struct Function {
  const char* name;
  Unary op;
  double (*exact)(double);
  float low, high;
  /// Relative error that rounding the argument of the last step causes: |x f'(x) / f(x)| of inner steps, in units of
  /// epsilon. 0 for functions that are computed directly.
  double (*conditioning)(double);
};

double none(double) { return 0; }
double normal_cdf(double x) { return 0.5 * std::erfc(-x * std::sqrt(0.5)); }
const Function kFunctions[] = {
    {"neg", Unary::neg, [](double x) { return -x; }, -100, 100, none},
    {"exp", Unary::exp, [](double x) { return std::exp(x); }, -103, 88.7f, none},
    {"log", Unary::log, [](double x) { return std::log(x); }, 1e-38f, 1e30f, none},
    {"sqrt", Unary::sqrt, [](double x) { return std::sqrt(x); }, 0, 1e30f, none},
    {"rsqrt", Unary::rsqrt, [](double x) { return 1 / std::sqrt(x); }, 1e-30f, 1e30f, none},
    {"tanh", Unary::tanh, [](double x) { return std::tanh(x); }, -20, 20, none},
    {"erf", Unary::erf, [](double x) { return std::erf(x); }, -10, 10, none},
    {"sin", Unary::sin, [](double x) { return std::sin(x); }, -1e5f, 1e5f, none},
    {"cos", Unary::cos, [](double x) { return std::cos(x); }, -1e5f, 1e5f, none},
    {"sigmoid", Unary::sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -87, 100, none},
    {"silu", Unary::silu, [](double x) { return x / (1 + std::exp(-x)); }, -87, 100, none},
    // 1 + erf cancels for negative x: the error is relative to x, not to the result.
    {"gelu", Unary::gelu, [](double x) { return x * normal_cdf(x); }, -10, 10,
     [](double x) { return x < 0 ? 1 / std::max(normal_cdf(x), 1e-30) : 0.0; }},
    // exp(u) of a rounded u: relative error |u| epsilon, where u = 2 √(2/π) (x + 0.044715 x³).
    {"gelu_tanh", Unary::gelu_tanh,
     [](double x) { return x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }, -5, 10,
     [](double x) { return 2 * 1.6 * (std::fabs(x) + 0.13 * std::fabs(x * x * x)); }},
    {"relu", Unary::relu, [](double x) { return x > 0 ? x : 0.0; }, -10, 10, none},
    {"softplus", Unary::softplus, [](double x) { return x > 20 ? x : std::log1p(std::exp(x)); }, -80, 80, none},
    {"copy", Unary::copy, [](double x) { return x; }, -100, 100, none},
};

TEST_P(ElementwiseTest, FunctionsAreWithinFourUnitsInTheLastPlace) {
  for (const Function& f : kFunctions) {
    std::vector<float> x = sweep(f.low, f.high);
    std::vector<float> y(x.size());
    kernels().unary[static_cast<int>(f.op)](x.data(), y.data(), static_cast<int64_t>(x.size()));
    double worst = 0, worst_x = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double exact = f.exact(x[i]);
      const double allowed = 4 + 2 * f.conditioning(x[i]);
      const double error = std::fabs(y[i] - exact) / unit_in_last_place(exact) / allowed;
      if (!(error <= worst)) worst = error, worst_x = x[i];
    }
    EXPECT_LE(worst, 1) << f.name << " at " << worst_x;
  }
}

TEST_P(ElementwiseTest, FunctionsKeepTheirLimitsAndNotANumber) {
  struct Limit {
    Unary op;
    float x, y;
  };
  const Limit limits[] = {
      {Unary::exp, kInfinity, kInfinity},
      {Unary::exp, -kInfinity, 0},
      {Unary::exp, 1000, kInfinity},
      {Unary::exp, -1000, 0},
      {Unary::exp, 0, 1},
      {Unary::log, 0, -kInfinity},
      {Unary::log, kInfinity, kInfinity},
      {Unary::log, -1, kNaN},
      {Unary::log, 1, 0},
      {Unary::tanh, kInfinity, 1},
      {Unary::tanh, -kInfinity, -1},
      {Unary::erf, kInfinity, 1},
      {Unary::erf, -kInfinity, -1},
      {Unary::sin, kInfinity, kNaN},
      {Unary::cos, -kInfinity, kNaN},
      {Unary::sigmoid, -kInfinity, 0},
      {Unary::sigmoid, kInfinity, 1},
      {Unary::softplus, kInfinity, kInfinity},
      {Unary::softplus, -kInfinity, 0},
      {Unary::sqrt, -1, kNaN},
      {Unary::rsqrt, 0, kInfinity},
      {Unary::cos, 0, 1},
      {Unary::relu, -kInfinity, 0},
      {Unary::gelu, kInfinity, kInfinity},
  };
  for (const Limit& l : limits) {
    float y = 42;
    kernels().unary[static_cast<int>(l.op)](&l.x, &y, 1);
    if (std::isnan(l.y)) {
      EXPECT_TRUE(std::isnan(y)) << static_cast<int>(l.op) << " at " << l.x;
    } else {
      EXPECT_EQ(y, l.y) << static_cast<int>(l.op) << " at " << l.x;
    }
  }
  for (const Function& f : kFunctions) {
    float y = 0;
    kernels().unary[static_cast<int>(f.op)](&kNaN, &y, 1);
    EXPECT_TRUE(std::isnan(y)) << f.name;
  }
}

TEST_P(ElementwiseTest, EveryLengthWritesItsElementsAndNoOthers) {
  const std::vector<float> x = random_floats(70, 3, 0.1f, 2);
  for (int op = 0; op < kUnary; ++op) {
    std::vector<float> whole(70);
    kernels().unary[op](x.data(), whole.data(), 70);
    for (int64_t n = 0; n < 69; ++n) {
      std::vector<float> y(70, -7.0f);
      kernels().unary[op](x.data(), y.data(), n);
      ASSERT_TRUE(same_bits(y.data(), whole.data(), n)) << "an element depends on the length, op " << op;
      ASSERT_EQ(y[static_cast<size_t>(n)], -7.0f);
    }
  }
}

TEST_P(ElementwiseTest, BinaryOperationsEqualTheScalarOnes) {
  const std::function<float(float, float)> exact[] = {
      [](float a, float b) { return a + b; },           [](float a, float b) { return a - b; },
      [](float a, float b) { return a * b; },           [](float a, float b) { return a / b; },
      [](float a, float b) { return std::fmax(a, b); }, [](float a, float b) { return std::fmin(a, b); }};
  const std::vector<float> a = random_floats(67, 1, -3, 3), b = random_floats(67, 2, 0.5f, 3);
  for (int op = 0; op < kBinary; ++op) {
    for (const int64_t n : {1, 3, 16, 17, 67}) {
      std::vector<float> y(68, -7.0f), scalar(68, -7.0f);
      kernels().binary[op](a.data(), b.data(), y.data(), n);
      kernels().binary_scalar[op](a.data(), b[0], scalar.data(), n);
      for (int64_t i = 0; i < n; ++i) {
        EXPECT_EQ(y[i], exact[op](a[i], b[i]));
        EXPECT_EQ(scalar[i], exact[op](a[i], b[0]));
      }
      EXPECT_EQ(y[n], -7.0f);
      EXPECT_EQ(scalar[n], -7.0f);
    }
  }
  for (const Binary op : {Binary::maximum, Binary::minimum}) {
    const float number = 1;
    float left = 0, right = 0;
    kernels().binary[static_cast<int>(op)](&kNaN, &number, &left, 1);
    kernels().binary[static_cast<int>(op)](&number, &kNaN, &right, 1);
    EXPECT_TRUE(std::isnan(left) && std::isnan(right));
  }
}

TEST_P(ElementwiseTest, GatedProductIsSiluTimesUp) {
  const std::vector<float> gate = random_floats(99, 1, -9, 9), up = random_floats(99, 2, -9, 9);
  std::vector<float> y(99), silu(99);
  kernels().silu_mul(gate.data(), up.data(), y.data(), 99);
  kernels().unary[static_cast<int>(Unary::silu)](gate.data(), silu.data(), 99);
  for (int i = 0; i < 99; ++i) EXPECT_EQ(y[i], silu[i] * up[i]);
}

}  // namespace
}  // namespace braid::cpu
