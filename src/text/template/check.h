#pragma once
// What is settled when a template is loaded: filters and tests are looked up, and what can only fail is refused.

#include "text/template/ast.h"

namespace braid::jinja {

/// Throws SyntaxFault: an unknown filter or test (but in branches of an if, where Jinja fails only when it runs), break
/// outside of a loop, macros that call themselves whatever happens.
void check(Tree& tree);

}  // namespace braid::jinja
