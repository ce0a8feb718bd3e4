#include <algorithm>

#include "text/template/evaluator.h"
#include "text/template/protocol.h"
#include "text/unicode/utf8.h"

namespace braid::jinja {
namespace {

/// How Jinja names an object in messages.
std::string described(const Value& v) {
  if (v.is_none()) return "None";
  if (v.is(Kind::name_space)) return "jinja2.utils.Namespace object";
  return std::string(type_name(v)) + " object";
}

bool holds(Operator op, int order) {
  switch (op) {
    case Operator::less:
      return order < 0;
    case Operator::less_equal:
      return order <= 0;
    case Operator::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

std::string_view spelling(Operator op) {
  switch (op) {
    case Operator::less:
      return "<";
    case Operator::less_equal:
      return "<=";
    case Operator::greater:
      return ">";
    default:
      return ">=";
  }
}

bool is_nan(const Value& v) { return v.is(Kind::real) && v.as_real() != v.as_real(); }

bool compares(Runtime& runtime, Operator op, const Value& a, const Value& b) {
  switch (op) {
    case Operator::equal:
      return equal(runtime, a, b);
    case Operator::not_equal:
      return !equal(runtime, a, b);
    case Operator::in:
      return contains(runtime, b, a);
    case Operator::not_in:
      return !contains(runtime, b, a);
    default: {
      const int order = compare(runtime, a, b, spelling(op));
      return !is_nan(a) && !is_nan(b) && holds(op, order);
    }
  }
}

}  // namespace

Value Evaluator::evaluate(const Expression& e, Scope& scope) {
  const Runtime::Deeper deeper(runtime_);
  runtime_.spend(1);
  at_ = e.at;
  switch (e.kind) {
    case ExpressionKind::constant:
      return e.value;
    case ExpressionKind::name:
      return evaluate_name(e, scope);
    case ExpressionKind::list:
    case ExpressionKind::tuple:
      return evaluate_list(e, scope);
    case ExpressionKind::dict:
      return evaluate_dict(e, scope);
    case ExpressionKind::attribute: {
      const Value object = evaluate(*e.operands[0], scope);
      at_ = e.at;
      return attribute(object, e.text);
    }
    case ExpressionKind::subscript:
      return evaluate_subscript(e, scope);
    case ExpressionKind::call:
      return evaluate_call(e, scope);
    case ExpressionKind::filter:
      return evaluate_filter(e, scope, nullptr);
    case ExpressionKind::test:
      return evaluate_test(e, scope);
    case ExpressionKind::negation:
      return Value::boolean(!truth(evaluate(*e.operands[0], scope)));
    case ExpressionKind::unary: {
      const Value operand = evaluate(*e.operands[0], scope);
      at_ = e.at;
      return apply_unary(runtime_, e.op, operand);
    }
    case ExpressionKind::binary: {
      const Value left = evaluate(*e.operands[0], scope);
      const Value right = evaluate(*e.operands[1], scope);
      at_ = e.at;
      return apply_binary(runtime_, e.op, left, right);
    }
    case ExpressionKind::concatenate:
      return evaluate_concatenation(e, scope);
    case ExpressionKind::both: {
      Value left = evaluate(*e.operands[0], scope);
      return truth(left) ? evaluate(*e.operands[1], scope) : left;
    }
    case ExpressionKind::either: {
      Value left = evaluate(*e.operands[0], scope);
      return truth(left) ? left : evaluate(*e.operands[1], scope);
    }
    case ExpressionKind::comparison:
      return evaluate_comparison(e, scope);
    case ExpressionKind::conditional:
      return evaluate_conditional(e, scope);
    case ExpressionKind::slice:
    case ExpressionKind::member:
      break;
  }
  throw Fault("slice objects have no value of their own");
}

Value Evaluator::evaluate_name(const Expression& e, Scope& scope) {
  if (const Value* v = scope.find(e.symbol)) return *v;
  if (e.callable != nullptr) {
    const auto [known, is_new] = functions_.try_emplace(e.callable);
    if (is_new) known->second = Value::object(Kind::function, runtime_.make<FunctionObject>(e.callable));
    return known->second;
  }
  return runtime_.undefined("'" + e.text + "' is undefined");
}

Value Evaluator::evaluate_list(const Expression& e, Scope& scope) {
  std::vector<Value> items;
  items.reserve(e.operands.size());
  for (const ExpressionPtr& item : e.operands) items.push_back(evaluate(*item, scope));
  return e.kind == ExpressionKind::list ? runtime_.list(std::move(items)) : runtime_.tuple(std::move(items));
}

Value Evaluator::evaluate_dict(const Expression& e, Scope& scope) {
  auto& dict = runtime_.make<Dict>();
  runtime_.hold(e.operands.size() * sizeof(Value));
  for (size_t i = 0; i + 1 < e.operands.size(); i += 2) {
    const Value key = evaluate(*e.operands[i], scope);
    dict.set(key, evaluate(*e.operands[i + 1], scope));
  }
  return Value::object(Kind::dict, dict);
}

Value Evaluator::evaluate_concatenation(const Expression& e, Scope& scope) {
  Text text;
  bool markup = false;
  std::vector<Value> parts;
  for (const ExpressionPtr& part : e.operands) parts.push_back(evaluate(*part, scope));
  at_ = e.at;
  for (const Value& part : parts) markup = markup || (escaping_ && part.is_markup());
  for (const Value& part : parts) {
    if (markup && !part.is_markup())
      text.append(escape(str(runtime_, part)));
    else
      append_str(runtime_, text, part);
  }
  return runtime_.string(std::move(text), markup);
}

Value Evaluator::evaluate_comparison(const Expression& e, Scope& scope) {
  Value left = evaluate(*e.operands[0], scope);
  for (size_t i = 0; i < e.operators.size(); ++i) {
    Value right = evaluate(*e.operands[i + 1], scope);
    at_ = e.at;
    if (!compares(runtime_, e.operators[i], left, right)) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value Evaluator::evaluate_conditional(const Expression& e, Scope& scope) {
  if (truth(evaluate(*e.operands[1], scope))) return evaluate(*e.operands[0], scope);
  if (e.operands[2]) return evaluate(*e.operands[2], scope);
  return runtime_.undefined("the inline if-expression on line " + std::to_string(e.at.line) +
                            " evaluated to false and no else section was defined.");
}

Value Evaluator::evaluate_subscript(const Expression& e, Scope& scope) {
  const Value object = evaluate(*e.operands[0], scope);
  const Expression& key = *e.operands[1];
  if (key.kind == ExpressionKind::slice) return slice(object, key, scope);
  const Value by = evaluate(key, scope);
  at_ = e.at;
  return subscript(object, by);
}

Value Evaluator::slice(const Value& object, const Expression& e, Scope& scope) {
  std::array<Value, 3> bounds{Value::none(), Value::none(), Value::none()};
  for (size_t i = 0; i < 3; ++i)
    if (e.operands[i]) bounds[i] = evaluate(*e.operands[i], scope);
  at_ = e.at;
  if (object.is_undefined()) fail_undefined(object);
  const bool fits = std::all_of(bounds.begin(), bounds.end(), [](const Value& v) { return v.is_none() || v.is_int(); });
  const bool has_slices =
      object.is_string() || object.is(Kind::list) || object.is(Kind::tuple) || object.is(Kind::range);
  if (!has_slices) throw Fault("'" + std::string(type_name(object)) + "' object is not subscriptable by slices");
  if (!fits) throw Fault("slice indices must be integers or None");
  if (object.is_string()) {
    const Text& text = object.text();
    std::vector<size_t> starts;  // of the characters
    for (size_t at = 0; at < text.size(); at += utf8::length(text.view()[at])) starts.push_back(at);
    starts.push_back(text.size());
    runtime_.spend(starts.size() / 8);
    Text part;
    for (const size_t i : slice_indices(starts.size() - 1, bounds[0], bounds[1], bounds[2]))
      part.append(text, starts[i], starts[i + 1]);
    return runtime_.string(std::move(part), object.is_markup());
  }
  std::vector<Value> items;
  for (const size_t i : slice_indices(object.items().size(), bounds[0], bounds[1], bounds[2]))
    items.push_back(object.items()[i]);
  if (object.is(Kind::range)) return slice_of_range(object, std::move(items), bounds);
  return object.is(Kind::tuple) ? runtime_.tuple(std::move(items)) : runtime_.list(std::move(items));
}

Value Evaluator::slice_of_range(const Value& range, std::vector<Value> items, std::span<const Value> bounds) {
  const Integer step = range.as<Sequence>().step * (bounds[2].is_none() ? 1 : bounds[2].as_int());
  if (items.empty()) return runtime_.range(0, 0, 1);
  const Integer count = static_cast<Integer>(items.size());
  return runtime_.range(items[0].as_int(), items[0].as_int() + count * step, step);
}

Value Evaluator::loop_field(const Loop& loop, std::string_view name, bool& known) {
  const auto index = static_cast<Integer>(loop.index), size = static_cast<Integer>(loop.size);
  known = true;
  if (name == "index0") return Value::integer(index);
  if (name == "index") return Value::integer(index + 1);
  if (name == "first") return Value::boolean(index == 0);
  if (name == "last") return Value::boolean(index + 1 == size);
  if (name == "length") return Value::integer(size);
  if (name == "revindex") return Value::integer(size - index);
  if (name == "revindex0") return Value::integer(size - index - 1);
  if (name == "depth") return Value::integer(loop.depth + 1);
  if (name == "depth0") return Value::integer(loop.depth);
  if (name == "previtem")
    return index > 0 && loop.items != nullptr ? (*loop.items)[loop.index - 1]
                                              : runtime_.undefined("there is no previous item");
  if (name == "nextitem")
    return index + 1 < size && loop.items != nullptr ? (*loop.items)[loop.index + 1]
                                                     : runtime_.undefined("there is no next item");
  known = false;
  return {};
}

Value Evaluator::attribute(const Value& object, std::string_view name) {
  if (object.is_undefined()) fail_undefined(object);
  if (object.is(Kind::loop)) {
    bool known = false;
    if (Value v = loop_field(object.as<Loop>(), name, known); known) return v;
  }
  if (object.is(Kind::name_space)) {
    if (const Value* v = object.as<Namespace>().find(name)) return *v;
  } else if (object.is(Kind::tuple) && object.as<Sequence>().name == kGroup && (name == "grouper" || name == "list")) {
    return object.items()[name == "list" ? 1 : 0];
  } else if (object.is(Kind::cycler) && name == "current") {
    return object.as<Cycler>().items[object.as<Cycler>().at];
  } else if (object.is(Kind::macro) && name == "name") {
    return runtime_.string(object.as<Macro>().definition->text);
  } else if (has_attribute(object, name)) {
    if (changes_object(object, name))
      return runtime_.undefined(
          "access to attribute " + repr_of(name) + " of '" + std::string(type_name(object)) + "' object is unsafe.",
          true);
    const Callable* callable = find_method(object, name);
    if (callable == nullptr)
      throw Fault("the attribute " + repr_of(name) + " of '" + std::string(type_name(object)) + "' is not supported");
    auto& method = runtime_.make<Method>();
    method.self = object;
    method.callable = callable;
    return Value::object(Kind::method, method);
  }
  if (object.is(Kind::dict)) {
    if (const Value* v = object.as<Dict>().find(name)) return *v;
  }
  return runtime_.undefined("'" + described(object) + "' has no attribute " + repr_of(name));
}

Value Evaluator::subscript(const Value& object, const Value& key) {
  if (object.is_undefined()) fail_undefined(object);
  if (object.is(Kind::dict)) {
    const bool hashable = !key.is(Kind::list) && !key.is(Kind::dict) && !key.is(Kind::view);
    if (const Value* v = hashable ? object.as<Dict>().find(key) : nullptr) return *v;
  } else if (key.is_int() && (object.is_string() || (object.is_sequence() && !object.is(Kind::view)))) {
    const auto size = static_cast<Integer>(length(object));
    const Integer index = key.as_int() < 0 ? key.as_int() + size : key.as_int();
    if (index >= 0 && index < size) {
      if (!object.is_string()) return object.items()[static_cast<size_t>(index)];
      const Text& text = object.text();
      runtime_.spend(text.size() / 64);
      size_t at = 0;
      for (Integer i = 0; i < index; ++i) at += utf8::length(text.view()[at]);
      return runtime_.string(text.slice(at, at + utf8::length(text.view()[at])), object.is_markup());
    }
  }
  if (key.is_string()) {
    if (key.view().starts_with("__"))
      return runtime_.undefined("access to attribute " + repr_of(key.view()) + " is unsafe.", true);
    if (!object.is(Kind::dict) || has_attribute(object, key.view())) return attribute(object, key.view());
    return runtime_.undefined("'" + described(object) + "' has no attribute " + repr_of(key.view()));
  }
  return runtime_.undefined(described(object) + " has no element " + repr(runtime_, key));
}

Arguments Evaluator::evaluate_arguments(const ArgumentExpressions& a, Scope& scope, const Value* first) {
  Arguments arguments;
  if (first != nullptr) arguments.positional.push_back(*first);
  for (const ExpressionPtr& e : a.positional) arguments.positional.push_back(evaluate(*e, scope));
  for (const auto& [name, e] : a.keywords) arguments.keywords.emplace_back(name, evaluate(*e, scope));
  if (a.list) {
    const std::vector<Value> more = elements(runtime_, evaluate(*a.list, scope));
    arguments.positional.insert(arguments.positional.end(), more.begin(), more.end());
  }
  if (a.dict) {
    const Value dict = evaluate(*a.dict, scope);
    if (!dict.is(Kind::dict)) throw Fault("argument after ** must be a mapping, not " + std::string(type_name(dict)));
    for (const auto& [key, value] : dict.as<Dict>().entries) {
      const std::string name = need_text(key, "keywords").bytes();
      if (arguments.keyword(name) != nullptr) throw Fault("got multiple values for keyword argument " + repr_of(name));
      arguments.keywords.emplace_back(name, value);
    }
  }
  return arguments;
}

Value Evaluator::evaluate_call(const Expression& e, Scope& scope) {
  const Expression& callee = *e.operands[0];
  if (callee.kind == ExpressionKind::attribute) {  // a method, without making an object of it
    const Value object = evaluate(*callee.operands[0], scope);
    const Callable* method = object.is_undefined() ? nullptr : find_method(object, callee.text);
    if (method != nullptr) {
      const Arguments arguments = evaluate_arguments(*e.arguments, scope, &object);
      at_ = callee.at;
      return invoke(*this, *method, arguments);
    }
    at_ = callee.at;
    const Value function = attribute(object, callee.text);
    const Arguments arguments = evaluate_arguments(*e.arguments, scope, nullptr);
    at_ = callee.at;
    return call(function, arguments);
  }
  const Value function = evaluate(callee, scope);
  const Arguments arguments = evaluate_arguments(*e.arguments, scope, nullptr);
  at_ = e.at;
  return call(function, arguments);
}

Value Evaluator::evaluate_filter(const Expression& e, Scope& scope, const Value* subject) {
  Value value;
  if (!e.operands.empty() && e.operands[0]) {
    const Expression& inner = *e.operands[0];
    value = subject != nullptr && inner.kind == ExpressionKind::filter ? evaluate_filter(inner, scope, subject)
                                                                       : evaluate(inner, scope);
  } else if (subject != nullptr) {
    value = *subject;
  }
  at_ = e.at;
  if (e.callable == nullptr) throw Fault("No filter named '" + e.text + "' found.");
  const Arguments arguments = evaluate_arguments(*e.arguments, scope, &value);
  at_ = e.at;
  return invoke(*this, *e.callable, arguments);
}

Value Evaluator::evaluate_test(const Expression& e, Scope& scope) {
  const Value value = evaluate(*e.operands[0], scope);
  at_ = e.at;
  if (e.callable == nullptr) throw Fault("No test named '" + e.text + "' found.");
  const Arguments arguments = evaluate_arguments(*e.arguments, scope, &value);
  at_ = e.at;
  return Value::boolean(truth(invoke(*this, *e.callable, arguments)));
}

}  // namespace braid::jinja
