// The tests: what may follow "is".

#include "text/template/evaluator.h"
#include "text/template/protocol.h"
#include "text/template/strings.h"
#include "text/template/tables.h"

namespace braid::jinja {
namespace {

Value yes(bool b) { return Value::boolean(b); }

/// The rest of a division, as Python has it.
Value modulo(Evaluator& e, const Value& a, const Value& b) { return apply_binary(e.runtime(), Operator::modulo, a, b); }

bool is_divisible(Evaluator& e, const Value& a, Integer by) {
  return equal(e.runtime(), modulo(e, a, Value::integer(by)), Value::integer(0));
}

Value odd(Evaluator& e, const Bound& a) {
  return yes(equal(e.runtime(), modulo(e, a[0], Value::integer(2)), Value::integer(1)));
}
Value even(Evaluator& e, const Bound& a) { return yes(is_divisible(e, a[0], 2)); }
Value divisible(Evaluator& e, const Bound& a) {
  return yes(equal(e.runtime(), modulo(e, a[0], a[1]), Value::integer(0)));
}

Value defined(Evaluator&, const Bound& a) { return yes(!a[0].is_undefined()); }
Value undefined(Evaluator&, const Bound& a) { return yes(a[0].is_undefined()); }
Value filter(Evaluator&, const Bound& a) { return yes(a[0].is_string() && find_filter(a[0].view()) != nullptr); }
Value test(Evaluator&, const Bound& a) { return yes(a[0].is_string() && find_test(a[0].view()) != nullptr); }
Value none(Evaluator&, const Bound& a) { return yes(a[0].is_none()); }
Value boolean(Evaluator&, const Bound& a) { return yes(a[0].is(Kind::boolean)); }
Value is_true(Evaluator&, const Bound& a) { return yes(a[0].is(Kind::boolean) && a[0].as_bool()); }
Value is_false(Evaluator&, const Bound& a) { return yes(a[0].is(Kind::boolean) && !a[0].as_bool()); }
Value integer(Evaluator&, const Bound& a) { return yes(a[0].is(Kind::integer)); }
Value real(Evaluator&, const Bound& a) { return yes(a[0].is(Kind::real)); }
Value number(Evaluator&, const Bound& a) { return yes(a[0].is_number()); }
Value string(Evaluator&, const Bound& a) { return yes(a[0].is_string()); }
Value mapping(Evaluator&, const Bound& a) { return yes(a[0].is(Kind::dict)); }
Value iterable(Evaluator&, const Bound& a) { return yes(is_iterable(a[0])); }
Value escaped(Evaluator&, const Bound& a) { return yes(a[0].is_markup()); }

Value sequence(Evaluator&, const Bound& a) {
  return yes(a[0].is_string() || a[0].is(Kind::dict) || (a[0].is_sequence() && !a[0].is(Kind::view)) ||
             a[0].is_undefined());
}

Value callable(Evaluator&, const Bound& a) {
  switch (a[0].kind()) {
    case Kind::undefined:
    case Kind::macro:
    case Kind::function:
    case Kind::method:
    case Kind::loop:
    case Kind::joiner:
      return yes(true);
    default:
      return yes(false);
  }
}

Value lower(Evaluator& e, const Bound& a) { return yes(is_of_class(str(e.runtime(), a[0]).view(), "islower")); }
Value upper(Evaluator& e, const Bound& a) { return yes(is_of_class(str(e.runtime(), a[0]).view(), "isupper")); }

/// Identity: of none, true and false by value, of small integers and texts, which Python shares, too.
Value same(Evaluator& e, const Bound& a) {
  if (a[0].kind() != a[1].kind()) return yes(false);
  if (a[0].identity() != nullptr || a[1].identity() != nullptr) return yes(a[0].identity() == a[1].identity());
  if (a[0].is_string()) return yes(a[0].text_ptr() == a[1].text_ptr());
  return yes(equal(e.runtime(), a[0], a[1]));
}

Value in(Evaluator& e, const Bound& a) { return yes(contains(e.runtime(), a[1], a[0])); }
Value equals(Evaluator& e, const Bound& a) { return yes(equal(e.runtime(), a[0], a[1])); }
Value differs(Evaluator& e, const Bound& a) { return yes(!equal(e.runtime(), a[0], a[1])); }
Value less(Evaluator& e, const Bound& a) { return yes(compare(e.runtime(), a[0], a[1], "<") < 0); }
Value at_most(Evaluator& e, const Bound& a) { return yes(compare(e.runtime(), a[0], a[1], "<=") <= 0); }
Value greater(Evaluator& e, const Bound& a) { return yes(compare(e.runtime(), a[0], a[1], ">") > 0); }
Value at_least(Evaluator& e, const Bound& a) { return yes(compare(e.runtime(), a[0], a[1], ">=") >= 0); }

constexpr Callable kTests[] = {
    {"odd", odd, {"value"}, 1},
    {"even", even, {"value"}, 1},
    {"divisibleby", divisible, {"value", "num"}, 2},
    {"defined", defined, {"value"}, 1},
    {"undefined", undefined, {"value"}, 1},
    {"filter", filter, {"value"}, 1},
    {"test", test, {"value"}, 1},
    {"none", none, {"value"}, 1},
    {"boolean", boolean, {"value"}, 1},
    {"true", is_true, {"value"}, 1},
    {"false", is_false, {"value"}, 1},
    {"integer", integer, {"value"}, 1},
    {"float", real, {"value"}, 1},
    {"number", number, {"value"}, 1},
    {"string", string, {"value"}, 1},
    {"mapping", mapping, {"value"}, 1},
    {"iterable", iterable, {"value"}, 1},
    {"sequence", sequence, {"value"}, 1},
    {"callable", callable, {"value"}, 1},
    {"escaped", escaped, {"value"}, 1},
    {"lower", lower, {"value"}, 1},
    {"upper", upper, {"value"}, 1},
    {"sameas", same, {"value", "other"}, 2},
    {"in", in, {"value", "seq"}, 2},
    {"==", equals, {"a", "b"}, 2},
    {"eq", equals, {"a", "b"}, 2},
    {"equalto", equals, {"a", "b"}, 2},
    {"!=", differs, {"a", "b"}, 2},
    {"ne", differs, {"a", "b"}, 2},
    {"<", less, {"a", "b"}, 2},
    {"lt", less, {"a", "b"}, 2},
    {"lessthan", less, {"a", "b"}, 2},
    {"<=", at_most, {"a", "b"}, 2},
    {"le", at_most, {"a", "b"}, 2},
    {">", greater, {"a", "b"}, 2},
    {"gt", greater, {"a", "b"}, 2},
    {"greaterthan", greater, {"a", "b"}, 2},
    {">=", at_least, {"a", "b"}, 2},
    {"ge", at_least, {"a", "b"}, 2},
};

}  // namespace

std::span<const Callable> tests() { return kTests; }

}  // namespace braid::jinja
