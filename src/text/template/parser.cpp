#include "text/template/parser.h"

#include <algorithm>

namespace braid::jinja {
namespace {

constexpr std::array<std::string_view, 4> kOtherFiles{"include", "import", "from", "extends"};

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::data:
      return "text";
    case TokenKind::variable_begin:
      return "'{{'";
    case TokenKind::variable_end:
      return "'}}'";
    case TokenKind::block_begin:
      return "'{%'";
    case TokenKind::block_end:
      return "'%}'";
    case TokenKind::string:
      return "a string";
    case TokenKind::end:
      return "the end of the template";
    case TokenKind::name:
    case TokenKind::integer:
    case TokenKind::real:
    case TokenKind::symbol:
      break;
  }
  return "'" + token.text + "'";
}

}  // namespace

Parser::Parser(std::vector<Token> tokens, ParserOptions options) : tokens_(std::move(tokens)), options_(options) {
  for (const char* name : {"loop", "caller", "varargs", "kwargs"}) symbol_of(name);
}

Parser::Nested::Nested(Parser& parser) : parser_(parser) {
  if (++parser_.depth_ > parser_.options_.max_nesting)
    parser_.fail("more than " + std::to_string(parser_.options_.max_nesting) + " levels within each other");
}

Tree Parser::parse() {
  tree_.body = parse_body({}, {}, {});
  return std::move(tree_);
}

Symbol Parser::symbol_of(const std::string& name) {
  const auto [known, is_new] = symbols_.try_emplace(name, static_cast<Symbol>(tree_.names.size()));
  if (is_new) tree_.names.push_back(name);
  return known->second;
}

ExpressionPtr Parser::make_name(const Token& token) {
  ExpressionPtr e = make(ExpressionKind::name, token.at);
  e->text = token.text;
  e->symbol = symbol_of(token.text);
  return e;
}

bool Parser::skip_symbol(std::string_view symbol) {
  const bool there = current().is_symbol(symbol);
  if (there) take();
  return there;
}

bool Parser::skip_name(std::string_view name) {
  const bool there = current().is_name(name);
  if (there) take();
  return there;
}

Token Parser::expect_symbol(std::string_view symbol) {
  if (!current().is_symbol(symbol)) fail("expected '" + std::string(symbol) + "', found " + describe(current()));
  return take();
}

Token Parser::expect_name() {
  if (current().kind != TokenKind::name) fail("expected a name, found " + describe(current()));
  return take();
}

void Parser::expect_block_end() {
  if (current().kind != TokenKind::block_end) fail("expected '%}', found " + describe(current()));
  take();
}

Body Parser::parse_body(Names ends, std::string_view block, Position opened) {
  const Nested nested(*this);
  Body body;
  while (current().kind != TokenKind::end) {
    const Token token = take();
    if (token.kind == TokenKind::data) {
      body.push_back(std::make_unique<Statement>(Statement{.kind = StatementKind::text, .at = token.at}));
      body.back()->value = Value::string(std::make_shared<const Text>(token.text, Origin::literal));
    } else if (token.kind == TokenKind::variable_begin) {
      body.push_back(std::make_unique<Statement>(Statement{.kind = StatementKind::output, .at = token.at}));
      body.back()->expressions.push_back(parse_tuple(true));
      if (current().kind != TokenKind::variable_end) fail("expected '}}', found " + describe(current()));
      take();
    } else {
      if (std::find_if(ends.begin(), ends.end(), [&](auto end) { return current().is_name(end); }) != ends.end())
        return body;
      if (current().is_name("print"))
        parse_print(body);
      else
        body.push_back(parse_statement());
      expect_block_end();
    }
  }
  if (ends.size() > 0)
    throw SyntaxFault{
        opened, "the block '" + std::string(block) + "' has no end: " + std::string(*(ends.end() - 1)) + " is missing"};
  return body;
}

Body Parser::parse_block(Names ends, const Statement& statement, std::string_view block) {
  skip_symbol(":");
  expect_block_end();
  return parse_body(ends, block, statement.at);
}

Parser::StatementPtr Parser::parse_statement() {
  const Token tag = current();
  if (tag.kind != TokenKind::name) fail("expected the name of a block, found " + describe(tag));
  take();
  auto s = std::make_unique<Statement>(Statement{.kind = StatementKind::scope, .at = tag.at});
  if (tag.text == "set") return parse_set(std::move(s));
  if (tag.text == "for") return parse_for(std::move(s));
  if (tag.text == "if") return parse_if(std::move(s));
  if (tag.text == "with") return parse_with(std::move(s));
  if (tag.text == "macro") return parse_macro(std::move(s));
  if (tag.text == "call") return parse_call_block(std::move(s));
  if (tag.text == "filter") return parse_filter_block(std::move(s));
  if (tag.text == "block") return parse_scope(std::move(s));
  if (tag.text == "autoescape") {
    s->kind = StatementKind::escape;
    s->expressions.push_back(parse_expression());
    s->body = parse_block({"endautoescape"}, *s, tag.text);
    take();
    return s;
  }
  if (tag.text == "generation") {
    s->kind = StatementKind::generation;
    s->body = parse_block({"endgeneration"}, *s, tag.text);
    take();
    return s;
  }
  if (tag.text == "break" || tag.text == "continue") {
    s->kind = tag.text == "break" ? StatementKind::leave : StatementKind::skip;
    return s;
  }
  if (std::find(kOtherFiles.begin(), kOtherFiles.end(), tag.text) != kOtherFiles.end())
    throw SyntaxFault{tag.at, "a chat template may read no other file: " + tag.text};
  throw SyntaxFault{tag.at, tag.text.starts_with("end") || tag.text.starts_with("el")
                                ? "'" + tag.text + "' closes no open block"
                                : "unknown block '" + tag.text + "'"};
}

void Parser::parse_print(Body& body) {
  const Position at = take().at;
  while (current().kind != TokenKind::block_end) {
    body.push_back(std::make_unique<Statement>(Statement{.kind = StatementKind::output, .at = at}));
    body.back()->expressions.push_back(parse_expression());
    if (current().kind != TokenKind::block_end) expect_symbol(",");
  }
}

ExpressionPtr Parser::parse_target_item(bool with_member) {
  const Nested nested(*this);
  if (skip_symbol("(")) {
    ExpressionPtr inner = parse_target(with_member);
    expect_symbol(")");
    return inner;
  }
  const Token name = expect_name();
  for (const char* constant : {"true", "false", "none", "True", "False", "None"})
    if (name.text == constant) throw SyntaxFault{name.at, "'" + name.text + "' cannot be assigned to"};
  ExpressionPtr target = make_name(name);
  if (with_member && skip_symbol(".")) {
    target->kind = ExpressionKind::member;
    target->text = expect_name().text;
  }
  return target;
}

ExpressionPtr Parser::parse_target(bool with_member, bool until_in) {
  const Position at = current().at;
  ExpressionPtr tuple = make(ExpressionKind::tuple, at);
  bool is_tuple = false;
  do {
    if (!tuple->operands.empty()) {
      is_tuple = true;
      if (current().kind != TokenKind::name && !current().is_symbol("(")) break;  // a comma at the end
      if (until_in && current().is_name("in")) break;
    }
    adopt(*tuple, parse_target_item(with_member));
  } while (skip_symbol(","));
  return is_tuple ? std::move(tuple) : std::move(tuple->operands.front());
}

Parser::StatementPtr Parser::parse_set(StatementPtr s) {
  s->targets.push_back(parse_target(true));
  if (skip_symbol("=")) {
    s->kind = StatementKind::set;
    s->expressions.push_back(parse_tuple(true));
    return s;
  }
  s->kind = StatementKind::set_block;
  ExpressionPtr filter;
  while (skip_symbol("|")) filter = parse_filter(std::move(filter));
  s->expressions.push_back(std::move(filter));
  s->body = parse_block({"endset"}, *s, "set");
  take();
  return s;
}

Parser::StatementPtr Parser::parse_for(StatementPtr s) {
  s->kind = StatementKind::for_loop;
  s->targets.push_back(parse_target(false, true));
  for (const ExpressionPtr& name : s->targets.front()->operands)
    if (name->kind == ExpressionKind::name && name->symbol == kLoop) fail("the variable of a loop cannot be 'loop'");
  if (s->targets.front()->kind == ExpressionKind::name && s->targets.front()->symbol == kLoop)
    fail("the variable of a loop cannot be 'loop'");
  if (!skip_name("in")) fail("expected 'in', found " + describe(current()));
  s->expressions.push_back(parse_tuple(false, false, true));
  s->expressions.push_back(skip_name("if") ? parse_expression() : nullptr);
  s->recursive = skip_name("recursive");
  s->body = parse_block({"else", "endfor"}, *s, "for");
  if (take().text == "else") {
    s->otherwise = parse_block({"endfor"}, *s, "for");
    take();
  }
  return s;
}

Parser::StatementPtr Parser::parse_if(StatementPtr s) {
  const Nested nested(*this);
  s->kind = StatementKind::if_else;
  s->expressions.push_back(parse_tuple(false));
  s->body = parse_block({"elif", "else", "endif"}, *s, "if");
  const Token next = take();
  if (next.text == "elif") {
    auto inner = std::make_unique<Statement>(Statement{.kind = StatementKind::if_else, .at = next.at});
    s->otherwise.push_back(parse_if(std::move(inner)));  // it takes the endif
  } else if (next.text == "else") {
    s->otherwise = parse_block({"endif"}, *s, "if");
    take();
  }
  return s;
}

Parser::StatementPtr Parser::parse_with(StatementPtr s) {
  s->kind = StatementKind::with;
  while (current().kind != TokenKind::block_end) {
    if (!s->targets.empty()) expect_symbol(",");
    s->targets.push_back(parse_target_item(false));
    expect_symbol("=");
    s->expressions.push_back(parse_expression());
  }
  s->body = parse_block({"endwith"}, *s, "with");
  take();
  return s;
}

void Parser::parse_signature(Statement& s) {
  expect_symbol("(");
  std::vector<Parameter>& parameters = s.signature.parameters;
  while (!current().is_symbol(")")) {
    const Token name = expect_name();
    for (const Parameter& known : parameters)
      if (known.name == name.text) throw SyntaxFault{name.at, "the parameter " + name.text + " occurs twice"};
    ExpressionPtr otherwise = skip_symbol("=") ? parse_expression() : nullptr;
    if (!otherwise && !parameters.empty() && parameters.back().otherwise)
      throw SyntaxFault{name.at, "a parameter without a default follows one that has it"};
    parameters.push_back({symbol_of(name.text), name.text, std::move(otherwise)});
    if (!current().is_symbol(")")) expect_symbol(",");
  }
  expect_symbol(")");
}

Parser::StatementPtr Parser::parse_macro(StatementPtr s) {
  s->kind = StatementKind::macro;
  s->text = expect_name().text;
  s->symbol = symbol_of(s->text);
  parse_signature(*s);
  s->body = parse_block({"endmacro"}, *s, "macro");
  take();
  return s;
}

Parser::StatementPtr Parser::parse_call_block(StatementPtr s) {
  s->kind = StatementKind::call_block;
  s->text = "caller";
  if (current().is_symbol("(")) parse_signature(*s);
  s->expressions.push_back(parse_expression());
  if (s->expressions.front()->kind != ExpressionKind::call) throw SyntaxFault{s->at, "a call must follow 'call'"};
  s->body = parse_block({"endcall"}, *s, "call");
  take();
  return s;
}

Parser::StatementPtr Parser::parse_filter_block(StatementPtr s) {
  s->kind = StatementKind::filter_block;
  ExpressionPtr filter = parse_filter(nullptr);
  while (skip_symbol("|")) filter = parse_filter(std::move(filter));
  s->expressions.push_back(std::move(filter));
  s->body = parse_block({"endfilter"}, *s, "filter");
  take();
  return s;
}

Parser::StatementPtr Parser::parse_scope(StatementPtr s) {
  s->text = expect_name().text;
  skip_name("scoped");
  skip_name("required");
  s->body = parse_block({"endblock"}, *s, "block");
  take();
  skip_name(s->text);
  return s;
}

}  // namespace braid::jinja
