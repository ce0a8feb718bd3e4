#pragma once
// The tree of a template. Expressions and statements are two plain structs: what the operands mean is said with each
// kind.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/template/fault.h"
#include "text/template/value.h"

namespace braid::jinja {

struct Callable;
struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

/// A variable's name, numbered within its template.
using Symbol = uint32_t;

enum class ExpressionKind : uint8_t {
  constant,     // value
  name,         // symbol, text
  list,         // operands
  tuple,        // operands
  dict,         // operands: key, value, key, value …
  attribute,    // operands[0] . text
  subscript,    // operands[0] [ operands[1] ]
  slice,        // operands: start, stop, step; null where left out
  call,         // operands[0] ( arguments )
  filter,       // operands[0] | text ( arguments ); operands[0] is null in a filter block
  test,         // operands[0] is text ( arguments )
  negation,     // not operands[0]
  unary,        // text operands[0]
  binary,       // operands[0] text operands[1]
  concatenate,  // operands joined by ~
  both,         // operands[0] and operands[1]
  either,       // operands[0] or operands[1]
  comparison,   // operands[0] operators[0] operands[1] operators[1] …
  conditional,  // operands[0] if operands[1] else operands[2], which may be null
  member,       // target of an assignment to a namespace: symbol . text
};

enum class Operator : uint8_t {
  none,
  add,
  subtract,
  multiply,
  divide,
  floor_divide,
  modulo,
  power,
  plus,
  minus,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  not_in
};

struct ArgumentExpressions {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> keywords;
  ExpressionPtr list, dict;  ///< *list and **dict
};

struct Expression {
  ExpressionKind kind;
  Position at;
  std::string text = {};
  Symbol symbol = 0;
  Operator op = Operator::none;
  Value value = {};
  std::vector<ExpressionPtr> operands = {};
  std::vector<Operator> operators = {};
  std::unique_ptr<ArgumentExpressions> arguments = {};
  uint32_t depth = 1;                  ///< of the tree below
  const Callable* callable = nullptr;  ///< of filters, tests and names of global functions; null when there is none
};

enum class StatementKind : uint8_t {
  text,          // value
  output,        // expressions[0]
  set,           // targets = expressions[0]
  set_block,     // target = body, through the filter expressions[0] (may be null)
  for_loop,      // for target in expressions[0] if expressions[1]: body, otherwise
  if_else,       // if expressions[0]: body, otherwise
  with,          // targets = expressions: body
  macro,         // symbol, signature, body
  call_block,    // expressions[0] is the call; signature, body
  filter_block,  // expressions[0] applied to body
  generation,    // body
  escape,        // autoescape expressions[0]: body
  scope,         // body ({% block %})
  leave,         // break
  skip,          // continue
};

struct Statement;
using Body = std::vector<std::unique_ptr<Statement>>;

struct Parameter {
  Symbol symbol;
  std::string name;
  ExpressionPtr otherwise;  ///< null: none
};

/// What a macro takes besides its parameters, if its body names it.
struct Signature {
  std::vector<Parameter> parameters;
  bool caller = false, keywords = false, rest = false;
};

struct Statement {
  StatementKind kind;
  Position at;
  Symbol symbol = 0;
  std::string text = {};
  Value value = {};
  std::vector<ExpressionPtr> targets = {};
  std::vector<ExpressionPtr> expressions = {};
  Body body = {}, otherwise = {};
  Signature signature = {};
  bool recursive = false;
};

/// A parsed template. Immutable; any number of renderings may use it at once.
struct Tree {
  Body body;
  std::vector<std::string> names;  ///< by symbol
};

/// Symbols that every template has.
enum KnownSymbol : Symbol { kLoop, kCaller, kVarargs, kKwargs, kKnownSymbols };

}  // namespace braid::jinja
