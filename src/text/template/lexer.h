#pragma once
// A template's source as tokens, by the rules of Jinja with trim_blocks and lstrip_blocks on.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/template/fault.h"
#include "text/template/integer.h"

namespace braid::jinja {

enum class TokenKind : uint8_t {
  data,            // text outside of tags
  variable_begin,  // {{
  variable_end,
  block_begin,  // {%
  block_end,
  name,
  string,
  integer,
  real,
  symbol,  // an operator or bracket; its spelling is `text`
  end,
};

struct Token {
  TokenKind kind;
  Position at;
  std::string text = {};  ///< data, names, symbols as they stand; strings without quotes and escapes
  Integer integer = 0;
  double real = 0;

  bool is(TokenKind k, std::string_view t) const { return kind == k && text == t; }
  bool is_symbol(std::string_view t) const { return is(TokenKind::symbol, t); }
  bool is_name(std::string_view t) const { return is(TokenKind::name, t); }
};

/// A fault of the source, with its place.
struct SyntaxFault {
  Position at;
  std::string what;
};

/// The tokens of `source` (UTF-8), ended by one of kind `end`. Throws SyntaxFault.
std::vector<Token> tokenize(std::string_view source);

}  // namespace braid::jinja
