#include <algorithm>

#include "text/template/parser.h"

namespace braid::jinja {
namespace {

struct Spelling {
  std::string_view text;
  Operator op;
};

Operator find_operator(const Token& token, std::initializer_list<Spelling> known) {
  if (token.kind != TokenKind::symbol) return Operator::none;
  for (const Spelling& s : known)
    if (token.text == s.text) return s.op;
  return Operator::none;
}

Value text_value(std::string text) {
  return Value::string(std::make_shared<const Text>(std::move(text), Origin::literal));
}

}  // namespace

ExpressionPtr Parser::make(ExpressionKind kind, Position at) const {
  return std::make_unique<Expression>(Expression{.kind = kind, .at = at});
}

void Parser::adopt(Expression& parent, ExpressionPtr child) const {
  if (child) parent.depth = std::max(parent.depth, child->depth + 1);
  if (parent.depth > options_.max_depth)
    throw SyntaxFault{parent.at, "the expression has more than " + std::to_string(options_.max_depth) + " levels"};
  parent.operands.push_back(std::move(child));
}

ExpressionPtr Parser::binary(ExpressionPtr left, Operator op, std::string_view spelling, Position at,
                             ExpressionPtr right) {
  ExpressionPtr e = make(ExpressionKind::binary, at);
  e->op = op;
  e->text = spelling;
  adopt(*e, std::move(left));
  adopt(*e, std::move(right));
  return e;
}

ExpressionPtr Parser::parse_expression() {
  const Nested nested(*this);
  ExpressionPtr e = parse_or();
  while (current().is_name("if")) {
    ExpressionPtr whole = make(ExpressionKind::conditional, take().at);
    adopt(*whole, std::move(e));
    adopt(*whole, parse_or());
    adopt(*whole, skip_name("else") ? parse_expression() : nullptr);
    e = std::move(whole);
  }
  return e;
}

ExpressionPtr Parser::parse_tuple(bool condition, bool parenthesised, bool until_recursive) {
  const Nested nested(*this);
  const Position at = current().at;
  const auto ended = [&] {
    return current().kind == TokenKind::variable_end || current().kind == TokenKind::block_end ||
           current().is_symbol(")") || (until_recursive && current().is_name("recursive"));
  };
  ExpressionPtr tuple = make(ExpressionKind::tuple, at);
  bool is_tuple = false;
  while (!ended()) {
    adopt(*tuple, condition ? parse_expression() : parse_or());
    if (!skip_symbol(",")) break;
    is_tuple = true;
  }
  if (is_tuple) return tuple;
  if (!tuple->operands.empty()) return std::move(tuple->operands.front());
  if (!parenthesised) fail("an expression is missing");
  return tuple;
}

ExpressionPtr Parser::parse_or() {
  ExpressionPtr left = parse_and();
  while (current().is_name("or")) {
    ExpressionPtr e = make(ExpressionKind::either, take().at);
    adopt(*e, std::move(left));
    adopt(*e, parse_and());
    left = std::move(e);
  }
  return left;
}

ExpressionPtr Parser::parse_and() {
  ExpressionPtr left = parse_not();
  while (current().is_name("and")) {
    ExpressionPtr e = make(ExpressionKind::both, take().at);
    adopt(*e, std::move(left));
    adopt(*e, parse_not());
    left = std::move(e);
  }
  return left;
}

ExpressionPtr Parser::parse_not() {
  if (!current().is_name("not")) return parse_comparison();
  const Nested nested(*this);
  ExpressionPtr e = make(ExpressionKind::negation, take().at);
  adopt(*e, parse_not());
  return e;
}

ExpressionPtr Parser::parse_comparison() {
  ExpressionPtr first = parse_sum();
  ExpressionPtr chain;
  while (true) {
    Operator op = find_operator(current(), {{"==", Operator::equal},
                                            {"!=", Operator::not_equal},
                                            {"<=", Operator::less_equal},
                                            {">=", Operator::greater_equal},
                                            {"<", Operator::less},
                                            {">", Operator::greater}});
    const Position at = current().at;
    if (op != Operator::none) {
      take();
    } else if (skip_name("in")) {
      op = Operator::in;
    } else if (current().is_name("not") && ahead().is_name("in")) {
      take();
      take();
      op = Operator::not_in;
    } else {
      return chain ? std::move(chain) : std::move(first);
    }
    if (!chain) {
      chain = make(ExpressionKind::comparison, at);
      adopt(*chain, std::move(first));
    }
    chain->operators.push_back(op);
    adopt(*chain, parse_sum());
  }
}

ExpressionPtr Parser::parse_sum() {
  ExpressionPtr left = parse_concatenation();
  while (true) {
    const Operator op = find_operator(current(), {{"+", Operator::add}, {"-", Operator::subtract}});
    if (op == Operator::none) return left;
    const Token token = take();
    left = binary(std::move(left), op, token.text, token.at, parse_concatenation());
  }
}

ExpressionPtr Parser::parse_concatenation() {
  ExpressionPtr first = parse_product();
  if (!current().is_symbol("~")) return first;
  ExpressionPtr e = make(ExpressionKind::concatenate, current().at);
  adopt(*e, std::move(first));
  while (skip_symbol("~")) adopt(*e, parse_product());
  return e;
}

ExpressionPtr Parser::parse_product() {
  ExpressionPtr left = parse_power();
  while (true) {
    const Operator op = find_operator(
        current(),
        {{"*", Operator::multiply}, {"/", Operator::divide}, {"//", Operator::floor_divide}, {"%", Operator::modulo}});
    if (op == Operator::none) return left;
    const Token token = take();
    left = binary(std::move(left), op, token.text, token.at, parse_power());
  }
}

ExpressionPtr Parser::parse_power() {
  ExpressionPtr left = parse_unary(true);
  while (current().is_symbol("**")) {
    const Token token = take();
    left = binary(std::move(left), Operator::power, token.text, token.at, parse_unary(true));
  }
  return left;
}

ExpressionPtr Parser::parse_unary(bool with_filter) {
  const Nested nested(*this);
  ExpressionPtr e;
  if (current().is_symbol("-") || current().is_symbol("+")) {
    const Token sign = take();
    e = make(ExpressionKind::unary, sign.at);
    e->op = sign.text == "-" ? Operator::minus : Operator::plus;
    e->text = sign.text;
    adopt(*e, parse_unary(false));
  } else {
    e = parse_primary();
  }
  e = parse_postfix(std::move(e));
  return with_filter ? parse_filters_and_tests(std::move(e)) : std::move(e);
}

ExpressionPtr Parser::parse_primary() {
  const Token token = current();
  if (token.kind == TokenKind::name) {
    take();
    const auto constant = [&](Value value) {
      ExpressionPtr e = make(ExpressionKind::constant, token.at);
      e->value = std::move(value);
      return e;
    };
    if (token.text == "true" || token.text == "True") return constant(Value::boolean(true));
    if (token.text == "false" || token.text == "False") return constant(Value::boolean(false));
    if (token.text == "none" || token.text == "None") return constant(Value::none());
    return make_name(token);
  }
  ExpressionPtr e = make(ExpressionKind::constant, token.at);
  if (token.kind == TokenKind::string) {
    std::string text;
    while (current().kind == TokenKind::string) text += take().text;  // neighbours are joined
    e->value = text_value(std::move(text));
    return e;
  }
  if (token.kind == TokenKind::integer || token.kind == TokenKind::real) {
    e->value = token.kind == TokenKind::real ? Value::real(token.real) : Value::integer(token.integer);
    take();
    return e;
  }
  if (skip_symbol("(")) {
    e = parse_tuple(true, true);
    expect_symbol(")");
    return e;
  }
  if (token.is_symbol("[")) return parse_list();
  if (token.is_symbol("{")) return parse_dict();
  fail("an expression is missing");
}

ExpressionPtr Parser::parse_list() {
  ExpressionPtr e = make(ExpressionKind::list, expect_symbol("[").at);
  while (!current().is_symbol("]")) {
    adopt(*e, parse_expression());
    if (!current().is_symbol("]")) expect_symbol(",");
  }
  expect_symbol("]");
  return e;
}

ExpressionPtr Parser::parse_dict() {
  ExpressionPtr e = make(ExpressionKind::dict, expect_symbol("{").at);
  while (!current().is_symbol("}")) {
    adopt(*e, parse_expression());
    expect_symbol(":");
    adopt(*e, parse_expression());
    if (!current().is_symbol("}")) expect_symbol(",");
  }
  expect_symbol("}");
  return e;
}

ExpressionPtr Parser::parse_postfix(ExpressionPtr e) {
  while (true) {
    if (current().is_symbol(".") || current().is_symbol("["))
      e = parse_subscript(std::move(e));
    else if (current().is_symbol("("))
      e = parse_call(std::move(e));
    else
      return e;
  }
}

ExpressionPtr Parser::parse_filters_and_tests(ExpressionPtr e) {
  while (true) {
    if (skip_symbol("|"))
      e = parse_filter(std::move(e));
    else if (current().is_name("is"))
      e = parse_test(std::move(e));
    else if (current().is_symbol("("))
      e = parse_call(std::move(e));
    else
      return e;
  }
}

ExpressionPtr Parser::parse_subscript(ExpressionPtr e) {
  const Token token = take();
  if (token.text == ".") {
    const Token name = take();
    if (name.kind == TokenKind::name) {
      if (name.text.starts_with("__"))
        throw SyntaxFault{name.at, "the attribute " + name.text + " belongs to Python's inside, which is not there"};
      ExpressionPtr whole = make(ExpressionKind::attribute, name.at);
      whole->text = name.text;
      adopt(*whole, std::move(e));
      return whole;
    }
    if (name.kind != TokenKind::integer) throw SyntaxFault{name.at, "a name or a number must follow the dot"};
    ExpressionPtr index = make(ExpressionKind::constant, name.at);
    index->value = Value::integer(name.integer);
    ExpressionPtr whole = make(ExpressionKind::subscript, token.at);
    adopt(*whole, std::move(e));
    adopt(*whole, std::move(index));
    return whole;
  }
  ExpressionPtr whole = make(ExpressionKind::subscript, token.at);
  ExpressionPtr items = make(ExpressionKind::tuple, token.at);
  do {
    if (current().is_symbol("]")) break;
    adopt(*items, parse_subscript_item());
  } while (skip_symbol(","));
  expect_symbol("]");
  adopt(*whole, std::move(e));
  adopt(*whole, items->operands.size() == 1 ? std::move(items->operands[0]) : std::move(items));
  return whole;
}

ExpressionPtr Parser::parse_subscript_item() {
  const auto ended = [&] { return current().is_symbol("]") || current().is_symbol(",") || current().is_symbol(":"); };
  const Position at = current().at;
  ExpressionPtr start = current().is_symbol(":") ? nullptr : parse_expression();
  if (!skip_symbol(":")) {
    const Expression& e = *start;
    if (e.kind == ExpressionKind::constant && e.value.is_string() && e.value.view().starts_with("__"))
      throw SyntaxFault{
          at, "the attribute " + std::string(e.value.view()) + " belongs to Python's inside, which is not there"};
    return start;
  }
  ExpressionPtr slice = make(ExpressionKind::slice, at);
  adopt(*slice, std::move(start));
  adopt(*slice, ended() ? nullptr : parse_expression());
  adopt(*slice, skip_symbol(":") && !ended() ? parse_expression() : nullptr);
  return slice;
}

ExpressionPtr Parser::parse_call(ExpressionPtr e) {
  ExpressionPtr call = make(ExpressionKind::call, e->at);
  call->arguments = parse_arguments();
  adopt(*call, std::move(e));
  return call;
}

std::unique_ptr<ArgumentExpressions> Parser::parse_arguments() {
  const Nested nested(*this);
  const Position at = expect_symbol("(").at;
  auto arguments = std::make_unique<ArgumentExpressions>();
  auto& [positional, keywords, list, dict] = *arguments;
  const auto ensure = [&](bool fits) {
    if (!fits) throw SyntaxFault{at, "the arguments of the call are in the wrong order"};
  };
  while (!current().is_symbol(")")) {
    if (skip_symbol("*")) {
      ensure(!list && !dict);
      list = parse_expression();
    } else if (skip_symbol("**")) {
      ensure(!dict);
      dict = parse_expression();
    } else if (current().kind == TokenKind::name && ahead().is_symbol("=")) {
      ensure(!dict);
      const Token name = take();
      take();
      for (const auto& [known, value] : keywords)
        if (known == name.text) throw SyntaxFault{name.at, "the argument " + name.text + " is given twice"};
      keywords.emplace_back(name.text, parse_expression());
    } else {
      ensure(!list && !dict && keywords.empty());
      positional.push_back(parse_expression());
    }
    if (!current().is_symbol(")")) expect_symbol(",");
  }
  expect_symbol(")");
  return arguments;
}

std::string Parser::parse_dotted_name() {
  std::string name = expect_name().text;
  while (skip_symbol(".")) name += "." + expect_name().text;
  return name;
}

ExpressionPtr Parser::parse_filter(ExpressionPtr e) {
  ExpressionPtr filter = make(ExpressionKind::filter, current().at);
  filter->text = parse_dotted_name();
  filter->arguments = current().is_symbol("(") ? parse_arguments() : std::make_unique<ArgumentExpressions>();
  adopt(*filter, std::move(e));
  return filter;
}

ExpressionPtr Parser::parse_test(ExpressionPtr e) {
  const Position at = take().at;
  const bool negated = skip_name("not");
  ExpressionPtr test = make(ExpressionKind::test, current().at);
  test->text = parse_dotted_name();
  adopt(*test, std::move(e));
  const Token& next = current();
  const bool operand = next.kind == TokenKind::name || next.kind == TokenKind::string ||
                       next.kind == TokenKind::integer || next.kind == TokenKind::real || next.is_symbol("[") ||
                       next.is_symbol("{");
  if (next.is_symbol("(")) {
    test->arguments = parse_arguments();
  } else {
    test->arguments = std::make_unique<ArgumentExpressions>();
    if (operand && !next.is_name("else") && !next.is_name("or") && !next.is_name("and")) {
      if (next.is_name("is")) fail("tests cannot be chained with is");
      test->arguments->positional.push_back(parse_postfix(parse_primary()));
    }
  }
  if (!negated) return test;
  ExpressionPtr whole = make(ExpressionKind::negation, at);
  adopt(*whole, std::move(test));
  return whole;
}

}  // namespace braid::jinja
