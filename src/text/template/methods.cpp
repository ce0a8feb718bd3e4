// The methods of dicts, lists, loops and numbers, and which names Python's objects have as attributes.

#include <algorithm>
#include <cmath>

#include "text/template/evaluator.h"
#include "text/template/protocol.h"
#include "text/template/tables.h"

namespace braid::jinja {
namespace {

const Dict& dict(const Bound& a) { return a[0].as<Dict>(); }

Value dict_get(Evaluator&, const Bound& a) {
  const Value* found = dict(a).find(a[1]);
  return found != nullptr ? *found : a.has(2) ? a[2] : Value::none();
}

Value dict_items(Evaluator& e, const Bound& a) {
  std::vector<Value> items;
  for (const auto& [key, value] : dict(a).entries) items.push_back(e.runtime().tuple({key, value}));
  return e.runtime().view("dict_items", std::move(items));
}

Value dict_keys(Evaluator& e, const Bound& a) { return e.runtime().view("dict_keys", elements(e.runtime(), a[0])); }

Value dict_values(Evaluator& e, const Bound& a) {
  std::vector<Value> items;
  for (const auto& entry : dict(a).entries) items.push_back(entry.second);
  return e.runtime().view("dict_values", std::move(items));
}

Value itself(Evaluator&, const Bound& a) { return a[0]; }  // a copy of what never changes

Value list_index(Evaluator& e, const Bound& a) {
  const std::vector<Value>& items = a[0].items();
  const auto size = static_cast<int64_t>(items.size());
  const auto bound = [&](size_t i, int64_t otherwise) {
    if (!a.has(i)) return otherwise;
    const int64_t at = need_index(a[i], "slice indices");
    return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size);
  };
  for (int64_t i = bound(2, 0); i < bound(3, size); ++i)
    if (equal(e.runtime(), items[static_cast<size_t>(i)], a[1])) return Value::integer(i);
  throw Fault(repr(e.runtime(), a[1]) + " is not in " + std::string(type_name(a[0])));
}

Value list_count(Evaluator& e, const Bound& a) {
  const auto& items = a[0].items();
  return Value::integer(
      std::count_if(items.begin(), items.end(), [&](const Value& v) { return equal(e.runtime(), v, a[1]); }));
}

Value loop_cycle(Evaluator&, const Bound& a) {
  const auto& choices = a.all.positional;
  if (choices.size() < 2) throw Fault("no items for cycling given");
  return choices[1 + a[0].as<Loop>().index % (choices.size() - 1)];
}

Value loop_changed(Evaluator& e, const Bound& a) {
  auto& loop = a[0].as<Loop>();
  const Value now = e.runtime().tuple({a.all.positional.begin() + 1, a.all.positional.end()});
  const bool changed = !loop.changed || !equal(e.runtime(), *loop.changed, now);
  loop.changed = now;
  return Value::boolean(changed);
}

Value cycler_next(Evaluator&, const Bound& a) {
  auto& cycler = a[0].as<Cycler>();
  const Value now = cycler.items[cycler.at];
  cycler.at = (cycler.at + 1) % cycler.items.size();
  return now;
}

Value cycler_reset(Evaluator&, const Bound& a) {
  a[0].as<Cycler>().at = 0;
  return Value::none();
}

Value is_integer(Evaluator&, const Bound& a) {
  return Value::boolean(a[0].as_real() == std::floor(a[0].as_real()) && std::isfinite(a[0].as_real()));
}

Value bit_length(Evaluator&, const Bound& a) {
  Integer rest = a[0].as_int() < 0 ? -a[0].as_int() : a[0].as_int(), bits = 0;
  for (; rest > 0; rest /= 2) ++bits;
  return Value::integer(bits);
}

constexpr Callable kDict[] = {
    {"get", dict_get, {"self", "key", "default"}, 2},
    {"items", dict_items, {"self"}, 1},
    {"keys", dict_keys, {"self"}, 1},
    {"values", dict_values, {"self"}, 1},
    {"copy", itself, {"self"}, 1},
};
constexpr Callable kList[] = {
    {"index", list_index, {"self", "value", "start", "stop"}, 2},
    {"count", list_count, {"self", "value"}, 2},
    {"copy", itself, {"self"}, 1},
};
constexpr Callable kLoopMethods[] = {
    {"cycle", loop_cycle, {"self"}, 1, true},
    {"changed", loop_changed, {"self"}, 1, true},
};
constexpr Callable kCycler[] = {{"next", cycler_next, {"self"}, 1}, {"reset", cycler_reset, {"self"}, 1}};
constexpr Callable kNumber[] = {{"is_integer", is_integer, {"self"}, 1}, {"bit_length", bit_length, {"self"}, 1}};

/// Attributes of Python's objects that have no row above: found before a key of that name, and not supported.
constexpr std::string_view kOtherOfStrings[] = {"encode", "maketrans", "translate"};
constexpr std::string_view kOtherOfIntegers[] = {
    "as_integer_ratio", "bit_count", "conjugate", "denominator", "from_bytes", "imag", "numerator", "real", "to_bytes"};
constexpr std::string_view kOtherOfReals[] = {"as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "real"};
constexpr std::string_view kChangesDict[] = {"clear", "pop", "popitem", "setdefault", "update"};
constexpr std::string_view kChangesList[] = {"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"};

bool has(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const Callable* find_in(std::span<const Callable> table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const Callable& c) { return c.name == name; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

std::span<const Callable> dict_methods() { return kDict; }
std::span<const Callable> list_methods() { return kList; }
std::span<const Callable> loop_methods() { return kLoopMethods; }
std::span<const Callable> cycler_methods() { return kCycler; }
std::span<const Callable> number_methods() { return kNumber; }

const Callable* find_method(const Value& object, std::string_view name) {
  switch (object.kind()) {
    case Kind::string:
      return find_in(string_methods(), name);
    case Kind::dict:
      return find_in(dict_methods(), name);
    case Kind::list:
      return find_in(list_methods(), name);
    case Kind::tuple:
    case Kind::range:
      return name == "copy" ? nullptr : find_in(list_methods(), name);
    case Kind::loop:
      return find_in(loop_methods(), name);
    case Kind::cycler:
      return find_in(cycler_methods(), name);
    case Kind::real:
      return name == "is_integer" ? find_in(number_methods(), name) : nullptr;
    case Kind::boolean:
    case Kind::integer:
      return name == "bit_length" ? find_in(number_methods(), name) : nullptr;
    default:
      return nullptr;
  }
}

bool changes_object(const Value& object, std::string_view name) {
  if (object.is(Kind::dict)) return has(kChangesDict, name);
  return object.is(Kind::list) && has(kChangesList, name);
}

bool has_attribute(const Value& object, std::string_view name) {
  if (find_method(object, name) != nullptr || changes_object(object, name)) return true;
  switch (object.kind()) {
    case Kind::string:
      return has(kOtherOfStrings, name);
    case Kind::dict:
      return name == "fromkeys";
    case Kind::boolean:
    case Kind::integer:
      return has(kOtherOfIntegers, name);
    case Kind::real:
      return has(kOtherOfReals, name);
    default:
      return false;
  }
}

const Callable* find_filter(std::string_view name) {
  for (const auto table : {text_filters(), sequence_filters(), value_filters()})
    if (const Callable* found = find_in(table, name)) return found;
  return nullptr;
}

const Callable* find_test(std::string_view name) { return find_in(tests(), name); }
const Callable* find_function(std::string_view name) { return find_in(functions(), name); }

}  // namespace braid::jinja
