#include <algorithm>

#include "text/template/evaluator.h"
#include "text/template/protocol.h"

namespace braid::jinja {
namespace {

/// Puts something back when a block ends, however it ends.
template <class T>
class Restore {
 public:
  Restore(T& place, T value) : place_(place), before_(place) { place = value; }
  ~Restore() { place_ = before_; }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  T& place_;
  T before_;
};

}  // namespace

const Value* Scope::find(Symbol symbol) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent)
    for (const auto& [known, value] : scope->variables)
      if (known == symbol) return &value;
  return nullptr;
}

void Scope::set(Symbol symbol, Value value) {
  for (auto& [known, old] : variables) {
    if (known != symbol) continue;
    old = std::move(value);
    return;
  }
  variables.emplace_back(symbol, std::move(value));
}

Evaluator::Evaluator(const Tree& tree, Runtime& runtime, Scope& variables)
    : tree_(tree), runtime_(runtime), variables_(variables) {}

Text Evaluator::render() {
  Text output;
  out_ = &output;
  run(tree_.body, runtime_.make<Scope>(&variables_));
  return output;
}

void Evaluator::write(const Value& v) {
  if (escaping_ && !v.is_markup())
    out_->append(escape(str(runtime_, v)));
  else
    append_str(runtime_, *out_, v);
}

Evaluator::Flow Evaluator::run(const Body& body, Scope& scope) {
  const Runtime::Deeper deeper(runtime_);
  for (const auto& statement : body)
    if (const Flow flow = run(*statement, scope); flow != Flow::next) return flow;
  return Flow::next;
}

Evaluator::Flow Evaluator::run(const Statement& s, Scope& scope) {
  runtime_.spend(1);
  at_ = s.at;
  switch (s.kind) {
    case StatementKind::text:
      append_str(runtime_, *out_, s.value);
      break;
    case StatementKind::output:
      write(evaluate(*s.expressions[0], scope));
      break;
    case StatementKind::set:
      assign(*s.targets[0], evaluate(*s.expressions[0], scope), scope);
      break;
    case StatementKind::set_block:
      run_set_block(s, scope);
      break;
    case StatementKind::for_loop:
      run_for(s, scope);
      break;
    case StatementKind::if_else:
      return run(truth(evaluate(*s.expressions[0], scope)) ? s.body : s.otherwise, scope);
    case StatementKind::with:
      run_with(s, scope);
      break;
    case StatementKind::macro: {
      auto& macro = runtime_.make<Macro>();
      macro.definition = &s;
      macro.scope = &scope;
      scope.kept = true;
      scope.set(s.symbol, Value::object(Kind::macro, macro));
      break;
    }
    case StatementKind::call_block:
      run_call_block(s, scope);
      break;
    case StatementKind::filter_block:
      run_filter_block(s, scope);
      break;
    case StatementKind::generation:
      run_generation(s, scope);
      break;
    case StatementKind::escape:
      return run_escape(s, scope);
    case StatementKind::scope:
      return run_in_scope(s, scope);
    case StatementKind::leave:
      return Flow::leave;
    case StatementKind::skip:
      return Flow::skip;
  }
  return Flow::next;
}

Evaluator::Flow Evaluator::run_in_scope(const Statement& s, Scope& scope) {
  scope.kept = true;
  return run(s.body, runtime_.make<Scope>(&scope));
}

void Evaluator::run_for(const Statement& s, Scope& scope) { iterate(s, scope, evaluate(*s.expressions[0], scope), 0); }

void Evaluator::iterate(const Statement& s, Scope& around, const Value& items, int64_t depth) {
  const Runtime::Deeper deeper(runtime_);
  auto& loop = runtime_.make<Loop>();
  loop.definition = &s;
  loop.scope = &around;
  loop.depth = depth;
  around.kept = true;
  if (items.is_sequence()) {
    loop.items = &items.items();  // it never changes, and lives as long as the rendering
  } else {
    loop.own = elements(runtime_, items);
    loop.items = &loop.own;
  }
  Scope* scope = nullptr;
  const auto fresh = [&] {  // variables of one round do not outlive it
    if (scope == nullptr || scope->kept)
      scope = &runtime_.make<Scope>(&around);
    else
      scope->variables.clear();
  };
  if (s.expressions[1]) {
    std::vector<Value> kept;
    for (const Value& item : *loop.items) {
      runtime_.spend(1);
      fresh();
      assign(*s.targets[0], item, *scope);
      if (truth(evaluate(*s.expressions[1], *scope))) kept.push_back(item);
    }
    loop.own = std::move(kept);
    loop.items = &loop.own;
  }
  loop.size = loop.items->size();
  if (loop.size == 0) {
    fresh();
    run(s.otherwise, *scope);
    return;
  }
  const Value self = Value::object(Kind::loop, loop);
  for (loop.index = 0; loop.index < loop.size; ++loop.index) {
    runtime_.spend(1);
    fresh();
    scope->set(kLoop, self);
    at_ = s.at;
    assign(*s.targets[0], (*loop.items)[loop.index], *scope);
    if (run(s.body, *scope) == Flow::leave) break;
  }
  loop.index = std::min(loop.index, loop.size - 1);
  loop.items = nullptr;
  loop.own = {};  // a loop within a loop would keep all that it ever ran over
}

Value Evaluator::loop_again(Loop& loop, const Value& items) {
  if (!loop.definition->recursive) throw Fault("The loop must have the 'recursive' marker to be called recursively.");
  Text text;
  {
    const Restore restore(out_, &text);
    const Restore nested(captures_, captures_ + 1);
    iterate(*loop.definition, *loop.scope, items, loop.depth + 1);
  }
  return runtime_.string(std::move(text), escaping_);
}

void Evaluator::run_with(const Statement& s, Scope& scope) {
  scope.kept = true;
  auto& inner = runtime_.make<Scope>(&scope);
  std::vector<Value> values;  // they do not see each other
  for (const ExpressionPtr& e : s.expressions) values.push_back(evaluate(*e, scope));
  for (size_t i = 0; i < values.size(); ++i) assign(*s.targets[i], std::move(values[i]), inner);
  run(s.body, inner);
}

Text Evaluator::capture(const Body& body, Scope& scope) {
  Text text;
  const Restore restore(out_, &text);
  const Restore nested(captures_, captures_ + 1);
  scope.kept = true;
  run(body, runtime_.make<Scope>(&scope));
  return text;
}

void Evaluator::run_set_block(const Statement& s, Scope& scope) {
  Value value = runtime_.string(capture(s.body, scope), escaping_);
  if (s.expressions[0]) value = evaluate_filter(*s.expressions[0], scope, &value);
  assign(*s.targets[0], std::move(value), scope);
}

void Evaluator::run_filter_block(const Statement& s, Scope& scope) {
  const Value body = runtime_.string(capture(s.body, scope), escaping_);
  write(evaluate_filter(*s.expressions[0], scope, &body));
}

void Evaluator::run_call_block(const Statement& s, Scope& scope) {
  auto& caller = runtime_.make<Macro>();
  caller.definition = &s;
  caller.scope = &scope;
  scope.kept = true;
  const Expression& e = *s.expressions[0];
  const Value function = evaluate(*e.operands[0], scope);
  Arguments arguments = evaluate_arguments(*e.arguments, scope, nullptr);
  arguments.keywords.emplace_back("caller", Value::object(Kind::macro, caller));
  at_ = e.at;
  write(call(function, arguments));
}

void Evaluator::run_generation(const Statement& s, Scope& scope) {
  const size_t begin = out_->size();
  scope.kept = true;
  run(s.body, runtime_.make<Scope>(&scope));
  if (captures_ == 0) generations_.push_back({begin, out_->size()});
}

Evaluator::Flow Evaluator::run_escape(const Statement& s, Scope& scope) {
  const Restore restore(escaping_, truth(evaluate(*s.expressions[0], scope)));
  return run_in_scope(s, scope);
}

void Evaluator::assign(const Expression& target, Value value, Scope& scope) {
  if (target.kind == ExpressionKind::name) return scope.set(target.symbol, std::move(value));
  if (target.kind == ExpressionKind::member) return assign_member(target, std::move(value), scope);
  if (!is_iterable(value) || value.is(Kind::loop))
    throw Fault("cannot unpack non-iterable " + std::string(type_name(value)) + " object");
  const std::vector<Value> parts = elements(runtime_, value);
  if (parts.size() < target.operands.size())
    throw Fault("not enough values to unpack (expected " + std::to_string(target.operands.size()) + ", got " +
                std::to_string(parts.size()) + ")");
  if (parts.size() > target.operands.size())
    throw Fault("too many values to unpack (expected " + std::to_string(target.operands.size()) + ")");
  for (size_t i = 0; i < parts.size(); ++i) assign(*target.operands[i], parts[i], scope);
}

void Evaluator::assign_member(const Expression& target, Value value, Scope& scope) {
  const Value* object = scope.find(target.symbol);
  at_ = target.at;
  if (object == nullptr || !object->is(Kind::name_space))
    throw Fault("cannot assign attribute on non-namespace object");
  runtime_.hold(sizeof(Value));
  object->as<Namespace>().set(target.text, std::move(value));
}

Value Evaluator::call_macro(const Macro& macro, const Arguments& arguments) {
  const Runtime::Deeper deeper(runtime_);
  const Statement& s = *macro.definition;
  const Signature& signature = s.signature;
  auto& scope = runtime_.make<Scope>(macro.scope);
  const size_t count = signature.parameters.size();
  std::vector<std::pair<std::string, Value>> rest = arguments.keywords;
  const auto take = [&](std::string_view name) -> std::optional<Value> {
    for (auto at = rest.begin(); at != rest.end(); ++at) {
      if (at->first != name) continue;
      Value value = std::move(at->second);
      rest.erase(at);
      return value;
    }
    return std::nullopt;
  };
  bool own_caller = false;
  std::vector<size_t> left_out;
  for (size_t i = 0; i < count; ++i) {
    const Parameter& parameter = signature.parameters[i];
    own_caller = own_caller || parameter.symbol == kCaller;
    if (i < arguments.positional.size())
      scope.set(parameter.symbol, arguments.positional[i]);
    else if (auto value = take(parameter.name))
      scope.set(parameter.symbol, std::move(*value));
    else
      left_out.push_back(i);
  }
  if (signature.caller && !own_caller) {
    auto caller = take("caller");
    scope.set(kCaller, caller ? std::move(*caller) : runtime_.undefined("No caller defined"));
  }
  if (signature.keywords) {
    auto& dict = runtime_.make<Dict>();
    for (auto& [name, value] : rest) dict.set(runtime_.string(name), std::move(value));
    scope.set(kKwargs, Value::object(Kind::dict, dict));
  } else if (!rest.empty()) {
    throw Fault("macro " + repr_of(s.text) + " takes no keyword argument " + repr_of(rest.front().first));
  }
  if (signature.rest) {
    const size_t from = std::min(count, arguments.positional.size());
    scope.set(kVarargs, runtime_.tuple(
                            {arguments.positional.begin() + static_cast<ptrdiff_t>(from), arguments.positional.end()}));
  } else if (arguments.positional.size() > count) {
    throw Fault("macro " + repr_of(s.text) + " takes not more than " + std::to_string(count) + " argument(s)");
  }
  for (const size_t i : left_out) {  // a default may read the parameters before it
    const Parameter& parameter = signature.parameters[i];
    scope.set(parameter.symbol, parameter.otherwise
                                    ? evaluate(*parameter.otherwise, scope)
                                    : runtime_.undefined("parameter " + repr_of(parameter.name) + " was not provided"));
  }
  Text text;
  {
    const Restore restore(out_, &text);
    const Restore nested(captures_, captures_ + 1);
    run(s.body, scope);
  }
  return runtime_.string(std::move(text), escaping_);
}

Value Evaluator::call(const Value& callee, const Arguments& arguments) {
  const Runtime::Deeper deeper(runtime_);
  switch (callee.kind()) {
    case Kind::undefined:
      fail_undefined(callee);
    case Kind::macro:
      return call_macro(callee.as<Macro>(), arguments);
    case Kind::function:
      return invoke(*this, *callee.as<FunctionObject>().callable, arguments);
    case Kind::method: {
      const auto& method = callee.as<Method>();
      Arguments with_self = arguments;
      with_self.positional.insert(with_self.positional.begin(), method.self);
      return invoke(*this, *method.callable, with_self);
    }
    case Kind::loop: {
      if (arguments.positional.size() != 1) throw Fault("a loop is called with the items that it runs over");
      return loop_again(callee.as<Loop>(), arguments.positional[0]);
    }
    case Kind::joiner: {
      auto& joiner = callee.as<Joiner>();
      if (joiner.used) return joiner.separator;
      joiner.used = true;
      return runtime_.string("");
    }
    default:
      throw Fault("'" + std::string(type_name(callee)) + "' object is not callable");
  }
}

}  // namespace braid::jinja
