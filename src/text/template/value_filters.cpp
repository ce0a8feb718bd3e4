// Filters on values of any kind.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "text/template/evaluator.h"
#include "text/template/json_dump.h"
#include "text/template/protocol.h"
#include "text/template/strings.h"
#include "text/template/tables.h"

namespace braid::jinja {
namespace {

Value otherwise(Evaluator& e, const Bound& a) {
  if (!a[0].is_undefined() && !(a.truth_or(2, false) && !truth(a[0]))) return a[0];
  return a.has(1) ? a[1] : e.runtime().string("");
}

Value tojson(Evaluator& e, const Bound& a) {
  DumpOptions options;
  options.ensure_ascii = a.truth_or(1, false);
  options.sort_keys = a.truth_or(4, false);
  if (!a.is_none_or_absent(2)) {
    options.indent =
        a[2].is_string()
            ? a[2].text().bytes()
            : std::string(static_cast<size_t>(std::clamp<int64_t>(need_index(a[2], "indent"), 0, 1000)), ' ');
    options.item_separator = ",";
  }
  if (!a.is_none_or_absent(3)) {
    const std::vector<Value> separators = elements(e.runtime(), a[3]);
    if (separators.size() != 2) throw Fault("separators are a pair");
    options.item_separator = need_text(separators[0], "separators").bytes();
    options.key_separator = need_text(separators[1], "separators").bytes();
  }
  return e.runtime().string(dump(e.runtime(), a[0], options));
}

/// Python's int("…", base) and float("…"): spaces around and single underscores between digits are fine.
std::optional<std::string> plain_number(const Value& v) {
  const Text stripped = strip(v.text(), Side::both, std::nullopt);
  std::string text;
  for (size_t i = 0; i < stripped.size(); ++i) {
    const char c = stripped.bytes()[i];
    if (c == '_') {
      const auto digit = [&](size_t at) {
        return at < stripped.size() && std::isalnum(static_cast<unsigned char>(stripped.bytes()[at])) != 0;
      };
      if (i == 0 || !digit(i - 1) || !digit(i + 1)) return std::nullopt;
      continue;
    }
    text += c;
  }
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<double> parse_real(const Value& v) {
  std::optional<std::string> text = plain_number(v);
  if (!text) return std::nullopt;
  const bool negative = text->front() == '-';
  if (negative || text->front() == '+') text->erase(0, 1);
  if (text->empty() || text->front() == '-') return std::nullopt;
  double d = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), d);
  if (end != text->data() + text->size()) return std::nullopt;
  if (problem == std::errc::result_out_of_range)
    d = text->find("e-") != std::string::npos ? 0 : std::numeric_limits<double>::infinity();
  else if (problem != std::errc())
    return std::nullopt;
  return negative ? -d : d;
}

std::optional<Integer> parse_int(const Value& v, int64_t base) {
  std::optional<std::string> text = plain_number(v);
  if (!text) return std::nullopt;
  const bool negative = text->front() == '-';
  if (negative || text->front() == '+') text->erase(0, 1);
  const auto prefix = [&](char letter) {
    return text->size() > 2 && (*text)[0] == '0' && std::tolower(static_cast<unsigned char>((*text)[1])) == letter;
  };
  for (const auto& [letter, meant] : {std::pair('x', 16), {'o', 8}, {'b', 2}}) {
    if ((base != meant && base != 0) || !prefix(letter)) continue;
    text->erase(0, 2);
    base = meant;
    break;
  }
  if (base == 0) base = 10;
  if (text->empty() || base < 2 || base > 36) return std::nullopt;
  Integer value = 0;
  for (const char c : *text) {
    const int lower = std::tolower(static_cast<unsigned char>(c));
    const int digit = lower >= '0' && lower <= '9' ? lower - '0' : lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
    if (digit >= base) return std::nullopt;
    if (__builtin_mul_overflow(value, static_cast<Integer>(base), &value) ||
        __builtin_add_overflow(value, static_cast<Integer>(digit), &value))
      throw Fault("the integer has more than 128 bits", Fault::Kind::budget);
  }
  return negative ? -value : value;
}

std::optional<Integer> truncated(double d) {
  if (!std::isfinite(d)) return std::nullopt;
  if (std::fabs(d) >= 1e38) throw Fault("the integer has more than 128 bits", Fault::Kind::budget);
  return static_cast<Integer>(d);
}

Value to_int(Evaluator&, const Bound& a) {
  if (a[0].is_undefined()) fail_undefined(a[0]);
  std::optional<Integer> value;
  if (a[0].is_string()) {
    value = parse_int(a[0], a.has(2) ? need_index(a[2], "base") : 10);
    if (!value)
      if (const auto d = parse_real(a[0])) value = truncated(*d);
  } else if (a[0].is(Kind::real)) {
    if (std::isinf(a[0].as_real())) throw Fault("cannot convert float infinity to integer");
    value = truncated(a[0].as_real());
  } else if (a[0].is_int()) {
    value = a[0].as_int();
  }
  return value ? Value::integer(*value) : a.has(1) ? a[1] : Value::integer(0);
}

Value to_float(Evaluator&, const Bound& a) {
  if (a[0].is_undefined()) fail_undefined(a[0]);
  if (a[0].is_number()) return Value::real(a[0].as_real());
  if (a[0].is_string())
    if (const auto d = parse_real(a[0])) return Value::real(*d);
  return a.has(1) ? a[1] : Value::real(0);
}

Value absolute(Evaluator& e, const Bound& a) {
  if (a[0].is_undefined()) fail_undefined(a[0]);
  if (!a[0].is_number()) throw Fault("bad operand type for abs(): '" + std::string(type_name(a[0])) + "'");
  if (a[0].is(Kind::real)) return Value::real(std::fabs(a[0].as_real()));
  return apply_unary(e.runtime(), a[0].as_int() < 0 ? Operator::minus : Operator::plus, a[0]);
}

/// To the nearest, as Python does for floats: of the decimal digits that the number really has, ties to even.
double rounded(double value, int64_t digits) {
  if (!std::isfinite(value) || digits > 300) return value;
  if (digits < -300) return std::copysign(0.0, value);
  if (digits < 0) {
    const double unit = std::pow(10.0, static_cast<double>(-digits));
    return std::nearbyint(value / unit) * unit;
  }
  char text[700];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, static_cast<int>(digits)).ptr;
  double result = value;
  std::from_chars(text, end, result);
  return result;
}

Value round_number(Evaluator& e, const Bound& a) {
  if (a[0].is_undefined()) fail_undefined(a[0]);
  const int64_t digits = a.has(1) ? need_index(a[1], "precision") : 0;
  const std::string_view method = a.has(2) ? need_text(a[2], "method").view() : "common";
  if (method != "common" && method != "ceil" && method != "floor") throw Fault("method must be common, ceil or floor");
  if (!a[0].is_number()) throw Fault("type " + std::string(type_name(a[0])) + " doesn't define __round__ method");
  if (method == "common") {
    if (!a[0].is_int()) return Value::real(rounded(a[0].as_real(), digits));
    if (digits >= 0) return Value::integer(a[0].as_int());
    return Value::integer(static_cast<Integer>(rounded(a[0].as_real(), digits)));
  }
  const double scale = std::pow(10.0, static_cast<double>(digits)), scaled = a[0].as_real() * scale;
  const auto whole = truncated(method == "ceil" ? std::ceil(scaled) : std::floor(scaled));
  if (!whole) throw Fault("cannot convert float to integer");
  if (digits < 0) return Value::real(static_cast<double>(*whole) / scale);
  return apply_binary(e.runtime(), Operator::divide, Value::integer(*whole),
                      Value::integer(static_cast<Integer>(scale)));
}

Value attribute(Evaluator& e, const Bound& a) {
  const std::string_view name = need_text(a[1], "attr").view();
  if (name.starts_with('_')) throw Fault("access to attribute " + repr_of(name) + " is unsafe.");
  if (a[0].is(Kind::dict) && !has_attribute(a[0], name))
    return e.runtime().undefined("'dict object' has no attribute " + repr_of(name));
  return e.attribute(a[0], name);
}

Value pretty(Evaluator& e, const Bound& a) { return e.runtime().string(repr(e.runtime(), a[0])); }

constexpr Callable kFilters[] = {
    {"default", otherwise, {"value", "default_value", "boolean"}, 1},
    {"d", otherwise, {"value", "default_value", "boolean"}, 1},
    {"tojson", tojson, {"x", "ensure_ascii", "indent", "separators", "sort_keys"}, 1},
    {"int", to_int, {"value", "default", "base"}, 1},
    {"float", to_float, {"value", "default"}, 1},
    {"abs", absolute, {"x"}, 1},
    {"round", round_number, {"value", "precision", "method"}, 1},
    {"attr", attribute, {"obj", "name"}, 2},
    {"pprint", pretty, {"value"}, 1},
};

}  // namespace

std::span<const Callable> value_filters() { return kFilters; }

}  // namespace braid::jinja
