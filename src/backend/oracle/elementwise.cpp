#include <algorithm>
#include <cmath>
#include <cstring>

#include "backend/oracle/program.h"
#include "backend/oracle/strided.h"
#include "core/error.h"
#include "formats/formats.h"
#include "ops/ops.h"

namespace braid::oracle {
namespace {

/// f64 inside, rounded once.
template <double (*Function)(double)>
void unary(Call& call) {
  const float* x = call.in[0].data<float>();
  Tensor y = call.make();
  float* to = y.data<float>();
  for_ranges(y.elements(), 20, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = static_cast<float>(Function(x[i]));
  });
}

double minus(double x) { return -x; }
double exponential(double x) { return std::exp(x); }
double logarithm(double x) { return std::log(x); }
double square_root(double x) { return std::sqrt(x); }
double reciprocal_root(double x) { return 1 / std::sqrt(x); }
double hyperbolic_tangent(double x) { return std::tanh(x); }
double error_function(double x) { return std::erf(x); }
double sine(double x) { return std::sin(x); }
double cosine(double x) { return std::cos(x); }

template <class In, class Out, class Function>
void binary_loop(Call& call, Function function) {
  const In *a = call.in[0].data<In>(), *b = call.in[1].data<In>();
  Tensor y = call.make();
  Out* to = y.data<Out>();
  const BroadcastRows plan(y.shape, call.in);
  const int64_t n = plan.length(), step_a = plan.step(0), step_b = plan.step(1);
  for_ranges(plan.rows(), static_cast<double>(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto at = plan.starts(row);
      const In *from_a = a + at[0], *from_b = b + at[1];
      Out* out = to + row * n;
      if (step_a == 1 && step_b == 1) {
        for (int64_t i = 0; i < n; ++i) out[i] = function(from_a[i], from_b[i]);
      } else {
        for (int64_t i = 0; i < n; ++i) out[i] = function(from_a[i * step_a], from_b[i * step_b]);
      }
    }
  });
}

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return a + b;
  }
};
struct Sub {
  template <class T>
  T operator()(T a, T b) const {
    return a - b;
  }
};
struct Mul {
  template <class T>
  T operator()(T a, T b) const {
    return a * b;
  }
};
struct Div {
  float operator()(float a, float b) const { return a / b; }
  int32_t operator()(int32_t a, int32_t b) const {
    if (b == 0) throw Error("an integer is divided by zero");
    const int64_t quotient = int64_t{a} / b;
    return static_cast<int32_t>(quotient - (int64_t{a} % b != 0 && (a < 0) != (b < 0)));
  }
};
/// NaN wins, as in the families' reference implementations.
struct Maximum {
  float operator()(float a, float b) const { return std::isnan(a) || a > b ? a : b; }
  int32_t operator()(int32_t a, int32_t b) const { return std::max(a, b); }
};
struct Minimum {
  float operator()(float a, float b) const { return std::isnan(a) || a < b ? a : b; }
  int32_t operator()(int32_t a, int32_t b) const { return std::min(a, b); }
};

template <class Function>
void binary(Call& call) {
  if (call.in[0].format == Format::i32)
    binary_loop<int32_t, int32_t>(call, Function{});
  else
    binary_loop<float, float>(call, Function{});
}

template <class Function>
void comparison(Call& call) {
  if (call.in[0].format == Format::i32)
    binary_loop<int32_t, uint8_t>(call, Function{});
  else
    binary_loop<float, uint8_t>(call, Function{});
}

struct Less {
  template <class T>
  uint8_t operator()(T a, T b) const {
    return a < b;
  }
};
struct Equal {
  template <class T>
  uint8_t operator()(T a, T b) const {
    return a == b;
  }
};

template <class T>
void select_loop(Call& call) {
  Tensor y = call.make();
  const auto* condition = call.in[0].data<uint8_t>();
  const T *yes = call.in[1].data<T>(), *no = call.in[2].data<T>();
  T* to = y.data<T>();
  const BroadcastRows plan(y.shape, call.in);
  const int64_t n = plan.length();
  for_ranges(plan.rows(), static_cast<double>(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto at = plan.starts(row);
      for (int64_t i = 0; i < n; ++i)
        to[row * n + i] =
            condition[at[0] + i * plan.step(0)] != 0 ? yes[at[1] + i * plan.step(1)] : no[at[2] + i * plan.step(2)];
    }
  });
}

void select_bytes(Call& call) {
  switch (info(call.in[1].format).block_bytes) {
    case 1:
      return select_loop<uint8_t>(call);
    case 2:
      return select_loop<uint16_t>(call);
    case 4:
      return select_loop<uint32_t>(call);
    default:
      return select_loop<uint64_t>(call);
  }
}

/// Through f32, which holds every value of the floating formats but f64's.
void cast_values(Call& call) {
  const Tensor& x = call.in[0];
  Tensor y = call.make();
  const int64_t n = x.elements();
  if (x.format == y.format) {
    std::memcpy(y.bytes(), x.bytes(), x.byte_size());
  } else if (x.format == Format::i64 && y.format == Format::i32) {
    for (int64_t i = 0; i < n; ++i) y.data<int32_t>()[i] = static_cast<int32_t>(x.data<int64_t>()[i]);
  } else if (x.format == Format::i32 && y.format == Format::i64) {
    std::copy_n(x.data<int32_t>(), n, y.data<int64_t>());
  } else {
    const FormatOps &from = format_ops(x.format), &to = format_ops(y.format);
    const size_t from_bytes = info(x.format).block_bytes, to_bytes = info(y.format).block_bytes;
    for_ranges(n, 4, [&](int64_t begin, int64_t end) {
      std::array<float, 256> piece;
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); i += piece.size()) {
        const std::span<float> row(piece.data(), std::min(piece.size(), static_cast<size_t>(end) - i));
        from.decode(x.bytes() + i * from_bytes, row);
        to.encode(row, y.bytes() + i * to_bytes);
      }
    });
  }
}

constexpr Entry kEntries[] = {
    {&op::add, binary<Add>},
    {&op::sub, binary<Sub>},
    {&op::mul, binary<Mul>},
    {&op::div, binary<Div>},
    {&op::maximum, binary<Maximum>},
    {&op::minimum, binary<Minimum>},
    {&op::neg, unary<minus>},
    {&op::exp, unary<exponential>},
    {&op::log, unary<logarithm>},
    {&op::sqrt, unary<square_root>},
    {&op::rsqrt, unary<reciprocal_root>},
    {&op::tanh, unary<hyperbolic_tangent>},
    {&op::erf, unary<error_function>},
    {&op::sin, unary<sine>},
    {&op::cos, unary<cosine>},
    {&op::less, comparison<Less>},
    {&op::equal, comparison<Equal>},
    {&op::select, select_bytes},
    {&op::cast, cast_values},
};

}  // namespace

std::span<const Entry> elementwise_entries() { return kEntries; }

}  // namespace braid::oracle
