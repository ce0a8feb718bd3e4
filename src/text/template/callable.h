#pragma once
// What a template can call: filters, tests, methods and global functions, each a row of a table that says its
// parameters; macros and loops besides.

#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "text/template/ast.h"
#include "text/template/value.h"

namespace braid::jinja {

class Evaluator;

struct Arguments {
  std::vector<Value> positional = {};
  std::vector<std::pair<std::string, Value>> keywords = {};

  const Value* keyword(std::string_view name) const;
};

inline constexpr size_t kMostParameters = 6;

/// Arguments by parameter; null where the caller left one out.
struct Bound {
  const Arguments& all;
  std::array<const Value*, kMostParameters> values = {};

  bool has(size_t i) const { return values[i] != nullptr; }
  const Value& operator[](size_t i) const { return *values[i]; }
  bool truth_or(size_t i, bool otherwise) const;
  bool is_none_or_absent(size_t i) const { return !has(i) || values[i]->is_none(); }
};

/// A filter's first parameter is what stands left of it; a method's is its object.
struct Callable {
  std::string_view name;
  Value (*call)(Evaluator& evaluator, const Bound& arguments);
  std::array<std::string_view, kMostParameters> parameters = {};
  size_t required = 0;    ///< of the parameters
  bool variadic = false;  ///< takes any arguments; reads them from Bound::all
};

/// Calls with Python's rules for arguments. Throws Fault naming what is missing, unknown or given twice.
Value invoke(Evaluator& evaluator, const Callable& callable, const Arguments& arguments);

/// Null when there is none of that name.
const Callable* find_filter(std::string_view name);
const Callable* find_test(std::string_view name);
const Callable* find_function(std::string_view name);
const Callable* find_method(const Value& object, std::string_view name);
/// Whether Python's objects of this kind have an attribute of that name, called or not.
bool has_attribute(const Value& object, std::string_view name);
/// Whether it would change the object: the sandbox has none of them.
bool changes_object(const Value& object, std::string_view name);

/// Variables of a block, and those around it.
struct Scope : Object {
  explicit Scope(Scope* parent_) : parent(parent_) {}
  Scope* parent;
  std::vector<std::pair<Symbol, Value>> variables;
  bool kept = false;  ///< a macro or a loop refers to it: it may not be used again

  const Value* find(Symbol symbol) const;
  void set(Symbol symbol, Value value);
};

struct Macro : Object {
  const Statement* definition = nullptr;
  Scope* scope = nullptr;  ///< where it was defined
};

struct Loop : Object {
  const Statement* definition = nullptr;
  Scope* scope = nullptr;
  const std::vector<Value>* items = nullptr;  ///< of the list that it runs over, or `own`; null when it has ended
  std::vector<Value> own = {};
  size_t size = 0, index = 0;
  int64_t depth = 0;
  std::optional<Value> changed = std::nullopt;  ///< what loop.changed() saw last
};

struct FunctionObject : Object {
  explicit FunctionObject(const Callable* callable_) : callable(callable_) {}
  const Callable* callable;
};

struct Method : Object {
  Value self;
  const Callable* callable = nullptr;
};

}  // namespace braid::jinja
