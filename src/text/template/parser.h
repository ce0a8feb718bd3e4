#pragma once
// Tokens to a tree, by Jinja's grammar.

#include <unordered_map>

#include "text/template/ast.h"
#include "text/template/lexer.h"

namespace braid::jinja {

struct ParserOptions {
  uint32_t max_nesting;  ///< brackets and blocks within each other
  uint32_t max_depth;    ///< of an expression's tree, where a + b + c + … is as deep as it is long
};

class Parser {
 public:
  Parser(std::vector<Token> tokens, ParserOptions options);
  /// Throws SyntaxFault.
  Tree parse();

 private:
  // Statements (parser.cpp).
  using Names = std::initializer_list<std::string_view>;
  using StatementPtr = std::unique_ptr<Statement>;
  Body parse_body(Names ends, std::string_view block, Position opened);
  /// After a tag's expressions: its end, the body, and the closing tag, which is consumed up to its name.
  Body parse_block(Names ends, const Statement& statement, std::string_view block);
  StatementPtr parse_statement();
  StatementPtr parse_set(StatementPtr s);
  StatementPtr parse_for(StatementPtr s);
  StatementPtr parse_if(StatementPtr s);
  StatementPtr parse_with(StatementPtr s);
  StatementPtr parse_macro(StatementPtr s);
  StatementPtr parse_call_block(StatementPtr s);
  StatementPtr parse_filter_block(StatementPtr s);
  StatementPtr parse_scope(StatementPtr s);
  void parse_print(Body& body);
  void parse_signature(Statement& s);
  ExpressionPtr parse_target(bool with_member, bool until_in = false);
  ExpressionPtr parse_target_item(bool with_member);

  // Expressions (parser_expression.cpp).
  ExpressionPtr parse_expression();
  /// Several expressions with commas are a tuple. `condition`: "x if y" may occur.
  ExpressionPtr parse_tuple(bool condition, bool parenthesised = false, bool until_recursive = false);
  ExpressionPtr parse_or();
  ExpressionPtr parse_and();
  ExpressionPtr parse_not();
  ExpressionPtr parse_comparison();
  ExpressionPtr parse_sum();
  ExpressionPtr parse_concatenation();
  ExpressionPtr parse_product();
  ExpressionPtr parse_power();
  ExpressionPtr parse_unary(bool with_filter);
  ExpressionPtr parse_primary();
  ExpressionPtr parse_list();
  ExpressionPtr parse_dict();
  ExpressionPtr parse_postfix(ExpressionPtr e);
  ExpressionPtr parse_filters_and_tests(ExpressionPtr e);
  ExpressionPtr parse_subscript(ExpressionPtr e);
  ExpressionPtr parse_subscript_item();
  ExpressionPtr parse_call(ExpressionPtr e);
  ExpressionPtr parse_filter(ExpressionPtr e);
  ExpressionPtr parse_test(ExpressionPtr e);
  std::unique_ptr<ArgumentExpressions> parse_arguments();
  std::string parse_dotted_name();
  ExpressionPtr binary(ExpressionPtr left, Operator op, std::string_view spelling, Position at, ExpressionPtr right);

  // Tokens.
  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool skip_symbol(std::string_view symbol);
  bool skip_name(std::string_view name);
  Token expect_symbol(std::string_view symbol);
  Token expect_name();
  void expect_block_end();
  [[noreturn]] void fail(const std::string& what) const { throw SyntaxFault{current().at, what}; }

  Symbol symbol_of(const std::string& name);
  ExpressionPtr make(ExpressionKind kind, Position at) const;
  ExpressionPtr make_name(const Token& token);
  /// Makes `child` (may be null) the next operand.
  void adopt(Expression& parent, ExpressionPtr child) const;

  /// Counts how deep the parser is; what is parsed may not be deeper.
  class Nested {
   public:
    explicit Nested(Parser& parser);
    ~Nested() { --parser_.depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    Parser& parser_;
  };

  std::vector<Token> tokens_;
  ParserOptions options_;
  size_t at_ = 0;
  uint32_t depth_ = 0;
  Tree tree_;
  std::unordered_map<std::string, Symbol> symbols_;
};

}  // namespace braid::jinja
