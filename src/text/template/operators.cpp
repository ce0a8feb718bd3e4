#include <cmath>

#include "text/template/evaluator.h"
#include "text/template/protocol.h"

namespace braid::jinja {
namespace {

[[noreturn]] void fail_operands(std::string_view op, const Value& a, const Value& b) {
  if (op == "+" && a.is_string())
    throw Fault("can only concatenate str (not \"" + std::string(type_name(b)) + "\") to str");
  if (op == "+" && (a.is(Kind::list) || a.is(Kind::tuple)))
    throw Fault("can only concatenate " + std::string(type_name(a)) + " (not \"" + std::string(type_name(b)) +
                "\") to " + std::string(type_name(a)));
  throw Fault("unsupported operand type(s) for " + std::string(op) + ": '" + std::string(type_name(a)) + "' and '" +
              std::string(type_name(b)) + "'");
}

[[noreturn]] void fail_large() { throw Fault("the integer has more than 128 bits", Fault::Kind::budget); }

Value repeat(Runtime& runtime, const Value& what, Integer times) {
  if (what.is_string()) {
    const Text& text = what.text();
    if (times <= 0 || text.empty()) return runtime.string(Text(), what.is_markup());
    constexpr Integer kMany = Integer(1) << 40;
    runtime.check_size(times > kMany ? UINT64_MAX : static_cast<uint64_t>(times) * text.size());
    runtime.spend(static_cast<uint64_t>(times));
    Text all;
    for (Integer i = 0; i < times; ++i) all.append(text);
    return runtime.string(std::move(all), what.is_markup());
  }
  std::vector<Value> items;
  const Integer count =
      times <= 0 ? 0 : static_cast<Integer>(what.items().size()) * std::min<Integer>(times, Integer(1) << 40);
  if (count > static_cast<Integer>(runtime.limits().max_range))
    throw Fault("a list of " + to_decimal(count) + " elements is too long", Fault::Kind::budget);
  for (Integer i = 0; i < times && count > 0; ++i) items.insert(items.end(), what.items().begin(), what.items().end());
  return what.is(Kind::tuple) ? runtime.tuple(std::move(items)) : runtime.list(std::move(items));
}

bool repeats(const Value& v) { return v.is_string() || v.is(Kind::list) || v.is(Kind::tuple); }

Value add(Runtime& runtime, const Value& a, const Value& b) {
  if (a.is_string() && b.is_string()) {
    const bool markup = a.is_markup() || b.is_markup();
    runtime.check_size(a.text().size() + b.text().size());
    Text text = markup && !a.is_markup() ? escape(a.text()) : a.text();
    text.append(markup && !b.is_markup() ? escape(b.text()) : b.text());
    return runtime.string(std::move(text), markup);
  }
  if (a.kind() == b.kind() && (a.is(Kind::list) || a.is(Kind::tuple))) {
    std::vector<Value> items = a.items();
    items.insert(items.end(), b.items().begin(), b.items().end());
    return a.is(Kind::list) ? runtime.list(std::move(items)) : runtime.tuple(std::move(items));
  }
  fail_operands("+", a, b);
}

Integer floor_divide(Integer a, Integer b) {
  const Integer q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

Value integer_power(Integer base, Integer exponent) {
  if (exponent < 0) {
    if (base == 0) throw Fault("0.0 cannot be raised to a negative power");
    return Value::real(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  Integer result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) fail_large();
    if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) fail_large();
  }
  return Value::integer(result);
}

Value integers(Operator op, Integer a, Integer b) {
  Integer result = 0;
  switch (op) {
    case Operator::add:
      if (__builtin_add_overflow(a, b, &result)) fail_large();
      return Value::integer(result);
    case Operator::subtract:
      if (__builtin_sub_overflow(a, b, &result)) fail_large();
      return Value::integer(result);
    case Operator::multiply:
      if (__builtin_mul_overflow(a, b, &result)) fail_large();
      return Value::integer(result);
    case Operator::divide:
      if (b == 0) throw Fault("division by zero");
      return Value::real(static_cast<double>(a) / static_cast<double>(b));
    case Operator::power:
      return integer_power(a, b);
    default:
      break;
  }
  if (b == 0) throw Fault("integer division or modulo by zero");
  if (b == -1) {  // the least integer has no counterpart
    if (op == Operator::modulo) return Value::integer(0);
    return integers(Operator::subtract, 0, a);
  }
  const Integer quotient = floor_divide(a, b);
  return Value::integer(op == Operator::floor_divide ? quotient : a - quotient * b);
}

Value reals(Operator op, double a, double b) {
  switch (op) {
    case Operator::add:
      return Value::real(a + b);
    case Operator::subtract:
      return Value::real(a - b);
    case Operator::multiply:
      return Value::real(a * b);
    case Operator::power:
      if (a == 0 && b < 0) throw Fault("0.0 cannot be raised to a negative power");
      if (a < 0 && b != std::floor(b)) throw Fault("complex numbers are not known here");
      return Value::real(std::pow(a, b));
    default:
      break;
  }
  if (b == 0) throw Fault(op == Operator::modulo ? "float modulo" : "float division by zero");
  if (op == Operator::divide) return Value::real(a / b);
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  if (op == Operator::modulo) return Value::real(rest == 0 ? std::copysign(0.0, b) : rest);
  const double quotient = (a - rest) / b, whole = std::floor(quotient);
  return Value::real(quotient - whole > 0.5 ? whole + 1 : whole);
}

}  // namespace

Value apply_unary(Runtime&, Operator op, const Value& a) {
  if (a.is_undefined()) fail_undefined(a);
  if (a.is(Kind::real)) return Value::real(op == Operator::minus ? -a.as_real() : a.as_real());
  if (a.is_int())
    return op == Operator::minus ? integers(Operator::subtract, 0, a.as_int()) : Value::integer(a.as_int());
  throw Fault("bad operand type for unary " + std::string(op == Operator::minus ? "-" : "+") + ": '" +
              std::string(type_name(a)) + "'");
}

Value apply_binary(Runtime& runtime, Operator op, const Value& a, const Value& b) {
  if (op == Operator::modulo && a.is_string()) return runtime.string(format_percent(runtime, a, b), a.is_markup());
  if (a.is_undefined()) fail_undefined(a);
  if (b.is_undefined()) fail_undefined(b);
  if (a.is_int() && b.is_int()) return integers(op, a.as_int(), b.as_int());
  if (a.is_number() && b.is_number()) return reals(op, a.as_real(), b.as_real());
  if (op == Operator::add) return add(runtime, a, b);
  if (op == Operator::multiply && repeats(a) && b.is_int()) return repeat(runtime, a, b.as_int());
  if (op == Operator::multiply && repeats(b) && a.is_int()) return repeat(runtime, b, a.as_int());
  constexpr std::string_view kSpellings[] = {"", "+", "-", "*", "/", "//", "%", "** or pow()"};
  fail_operands(kSpellings[static_cast<size_t>(op)], a, b);
}

std::vector<size_t> slice_indices(size_t length, const Value& start, const Value& stop, const Value& step) {
  const auto size = static_cast<int64_t>(length);
  const int64_t stride = step.is_none() ? 1 : need_index(step, "slice");
  if (stride == 0) throw Fault("slice step cannot be zero");
  const auto clamp = [&](const Value& bound, int64_t otherwise) {
    if (bound.is_none()) return otherwise;
    int64_t at = need_index(bound, "slice");
    if (at < 0) at += size;
    return std::clamp<int64_t>(at, stride > 0 ? 0 : -1, stride > 0 ? size : size - 1);
  };
  const int64_t first = clamp(start, stride > 0 ? 0 : size - 1), last = clamp(stop, stride > 0 ? size : -1);
  std::vector<size_t> indices;
  if (stride > 0)
    for (int64_t i = first; i < last; i += std::min(stride, size)) indices.push_back(static_cast<size_t>(i));
  else
    for (int64_t i = first; i > last; i -= std::min(-stride, size)) indices.push_back(static_cast<size_t>(i));
  return indices;
}

}  // namespace braid::jinja
