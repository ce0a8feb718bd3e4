#pragma once
// Evaluator: one rendering of a tree. Walks it, keeps scopes, and writes the output.

#include <map>

#include "text/template/ast.h"
#include "text/template/callable.h"
#include "text/template/runtime.h"

namespace braid::jinja {

/// Bytes [begin, end) of the output that a {% generation %} block wrote.
struct GenerationSpan {
  size_t begin, end;
};

class Evaluator {
 public:
  /// `variables`: what the caller passed, by the tree's symbols.
  Evaluator(const Tree& tree, Runtime& runtime, Scope& variables);

  /// The whole template. Throws Fault; `position()` then says where.
  Text render();
  Position position() const { return at_; }
  const std::vector<GenerationSpan>& generations() const { return generations_; }

  Runtime& runtime() { return runtime_; }
  Value call(const Value& callee, const Arguments& arguments);
  /// object.name, and object[key], in the order in which the sandbox looks.
  Value attribute(const Value& object, std::string_view name);
  Value subscript(const Value& object, const Value& key);
  Value loop_again(Loop& loop, const Value& items);

 private:
  enum class Flow : uint8_t { next, leave, skip };

  // Statements (statements.cpp).
  Flow run(const Body& body, Scope& scope);
  Flow run(const Statement& s, Scope& scope);
  void run_for(const Statement& s, Scope& scope);
  void iterate(const Statement& s, Scope& around, const Value& items, int64_t depth);
  Flow run_in_scope(const Statement& s, Scope& scope);
  void run_with(const Statement& s, Scope& scope);
  void run_set_block(const Statement& s, Scope& scope);
  void run_filter_block(const Statement& s, Scope& scope);
  void run_call_block(const Statement& s, Scope& scope);
  void run_generation(const Statement& s, Scope& scope);
  Flow run_escape(const Statement& s, Scope& scope);
  void assign(const Expression& target, Value value, Scope& scope);
  void assign_member(const Expression& target, Value value, Scope& scope);
  Value call_macro(const Macro& macro, const Arguments& arguments);
  /// What the body writes, in a scope of its own.
  Text capture(const Body& body, Scope& scope);
  void write(const Value& v);

  // Expressions (expressions.cpp).
  Value evaluate(const Expression& e, Scope& scope);
  Value evaluate_name(const Expression& e, Scope& scope);
  Value evaluate_list(const Expression& e, Scope& scope);
  Value evaluate_dict(const Expression& e, Scope& scope);
  Value evaluate_subscript(const Expression& e, Scope& scope);
  Value evaluate_call(const Expression& e, Scope& scope);
  Value evaluate_filter(const Expression& e, Scope& scope, const Value* subject);
  Value evaluate_test(const Expression& e, Scope& scope);
  Value evaluate_concatenation(const Expression& e, Scope& scope);
  Value evaluate_comparison(const Expression& e, Scope& scope);
  Value evaluate_conditional(const Expression& e, Scope& scope);
  Arguments evaluate_arguments(const ArgumentExpressions& a, Scope& scope, const Value* first);
  Value slice(const Value& object, const Expression& e, Scope& scope);
  Value slice_of_range(const Value& range, std::vector<Value> items, std::span<const Value> bounds);
  Value loop_field(const Loop& loop, std::string_view name, bool& known);

  const Tree& tree_;
  Runtime& runtime_;
  Scope& variables_;
  Text* out_ = nullptr;
  Position at_;
  bool escaping_ = false;
  int captures_ = 0;  // out_ is no longer the output itself
  std::vector<GenerationSpan> generations_;
  std::map<const Callable*, Value> functions_;
};

// Operators (operators.cpp).
Value apply_unary(Runtime& runtime, Operator op, const Value& a);
Value apply_binary(Runtime& runtime, Operator op, const Value& a, const Value& b);
/// Elements at start, start + step … before stop, as Python counts them.
std::vector<size_t> slice_indices(size_t length, const Value& start, const Value& stop, const Value& step);
/// "format" % values.
Text format_percent(Runtime& runtime, const Value& format, const Value& values);

}  // namespace braid::jinja
