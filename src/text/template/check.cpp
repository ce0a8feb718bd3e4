#include "text/template/check.h"

#include <map>
#include <set>
#include <utility>

#include "text/template/callable.h"
#include "text/template/lexer.h"

namespace braid::jinja {
namespace {

/// Where a statement or expression stands.
struct Context {
  bool branch = false;  ///< directly in a branch of an if: unknown filters fail when they run
  bool loop = false;    ///< break and continue have a loop to leave
  bool certain = true;  ///< runs whenever the macro around it does
  const Statement* macro = nullptr;
};

class Checker {
 public:
  explicit Checker(Tree& tree) : tree_(tree) {}

  void run() {
    visit(tree_.body, {});
    for (const auto& [name, macro] : macros_) {
      std::set<Symbol> seen;
      if (reaches(name, name, seen))
        throw SyntaxFault{macro->at, "the macro '" + macro->text + "' calls itself without end"};
    }
  }

 private:
  bool reaches(Symbol from, Symbol to, std::set<Symbol>& seen) const {
    const auto calls = calls_.find(from);
    if (calls == calls_.end()) return false;
    for (const Symbol next : calls->second)
      if (next == to || (seen.insert(next).second && reaches(next, to, seen))) return true;
    return false;
  }

  void visit(Body& body, const Context& c) {
    for (auto& statement : body) visit(*statement, c);
  }

  void visit(Statement& s, Context c) {
    const Context around = c;
    const bool leaves = s.kind == StatementKind::leave || s.kind == StatementKind::skip;
    if (leaves && !c.loop)
      throw SyntaxFault{s.at,
                        std::string(s.kind == StatementKind::leave ? "break" : "continue") + " outside of a loop"};
    switch (s.kind) {
      case StatementKind::macro:
        macros_[s.symbol] = &s;
        [[fallthrough]];
      case StatementKind::call_block: {
        Context inside{.macro = s.kind == StatementKind::macro ? &s : nullptr};
        visit_expressions(s, around);
        std::set<Symbol> outer = std::exchange(used_, {});
        visit(s.body, inside);
        for (Parameter& parameter : s.signature.parameters)
          if (parameter.otherwise) visit(*parameter.otherwise, inside);
        s.signature.caller = used_.contains(kCaller);
        s.signature.keywords = used_.contains(kKwargs);
        s.signature.rest = used_.contains(kVarargs);
        used_.merge(outer);
        return;
      }
      case StatementKind::if_else:
        c.branch = true;
        visit_expressions(s, c);
        c.certain = false;
        visit(s.body, c);
        visit(s.otherwise, c);
        return;
      case StatementKind::for_loop: {
        c.branch = false;
        visit_expressions(s, c);
        c.certain = false;
        visit(s.otherwise, c);
        c.loop = true;
        visit(s.body, c);
        return;
      }
      case StatementKind::output:
      case StatementKind::text:
      case StatementKind::set:
        break;
      default:
        c.branch = false;
    }
    if (s.kind == StatementKind::generation || s.kind == StatementKind::set_block ||
        s.kind == StatementKind::filter_block)
      c.loop = false;
    visit_expressions(s, around);
    visit(s.body, c);
  }

  void visit_expressions(Statement& s, const Context& c) {
    for (ExpressionPtr& e : s.targets) visit(*e, c);
    for (ExpressionPtr& e : s.expressions)
      if (e) visit(*e, c);
  }

  void visit(Expression& e, Context c) {
    if (e.kind == ExpressionKind::conditional) c.branch = true;
    resolve(e, c);
    const bool may_stop = e.kind == ExpressionKind::conditional || e.kind == ExpressionKind::both ||
                          e.kind == ExpressionKind::either || e.kind == ExpressionKind::comparison;
    if (e.kind == ExpressionKind::call && e.operands[0]->kind == ExpressionKind::name && c.certain &&
        c.macro != nullptr)
      calls_[c.macro->symbol].insert(e.operands[0]->symbol);
    if (may_stop) c.certain = false;
    for (ExpressionPtr& operand : e.operands)
      if (operand) visit(*operand, c);
    if (!e.arguments) return;
    for (ExpressionPtr& argument : e.arguments->positional) visit(*argument, c);
    for (auto& [name, argument] : e.arguments->keywords) visit(*argument, c);
    if (e.arguments->list) visit(*e.arguments->list, c);
    if (e.arguments->dict) visit(*e.arguments->dict, c);
  }

  void resolve(Expression& e, const Context& c) {
    if (e.kind == ExpressionKind::name) {
      if (e.symbol < kKnownSymbols) used_.insert(e.symbol);
      e.callable = find_function(e.text);
      return;
    }
    if (e.kind != ExpressionKind::filter && e.kind != ExpressionKind::test) return;
    const bool filter = e.kind == ExpressionKind::filter;
    e.callable = filter ? find_filter(e.text) : find_test(e.text);
    if (e.callable == nullptr && !c.branch)
      throw SyntaxFault{e.at, "No " + std::string(filter ? "filter" : "test") + " named '" + e.text + "'."};
  }

  Tree& tree_;
  std::set<Symbol> used_;  // of the known symbols, since the last macro began
  std::map<Symbol, const Statement*> macros_;
  std::map<Symbol, std::set<Symbol>> calls_;  // by macros, whatever happens
};

}  // namespace

void check(Tree& tree) { Checker(tree).run(); }

}  // namespace braid::jinja
