#pragma once
// Patterns that cut and rewrite text. The regular expressions of the common tokenizers are hand-written scanners that
// read each character a bounded number of times; others run under PCRE2 with a budget of steps, so that no pattern can
// hang the caller.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/base/piece.h"

namespace braid::text {

class Pattern {
 public:
  virtual ~Pattern() = default;
  /// Appends every match in `text` (valid UTF-8) from left to right; none overlaps another, some may be empty. Throws
  /// Error naming the pattern when its budget is spent.
  virtual void find_all(std::string_view text, std::vector<Span>& matches) const = 0;
};

/// {"String": literal} or {"Regex": expression}, in Oniguruma's syntax. Throws Error at `node` for what does not
/// compile.
std::unique_ptr<Pattern> read_pattern(const Json& node, const Limits& limits);
/// A regular expression; `where` is the node that errors name.
std::unique_ptr<Pattern> make_regex(std::string_view expression, const Json& where, const Limits& limits);
/// Occurrences of a text; an empty one is found between all characters.
std::unique_ptr<Pattern> make_literal(std::string text);

/// A scanner: the end of the match that starts at byte `at`, or `at` itself when none does.
using Scanner = size_t (*)(std::string_view text, size_t at);
/// The hand-written scanner for a regular expression; null when there is none.
Scanner find_scanner(std::string_view expression);
/// The expressions that have one, for tests that compare both ways.
std::vector<std::string_view> scanned_expressions();
/// The expression under PCRE2, even if a scanner exists.
std::unique_ptr<Pattern> make_pcre(std::string_view expression, const Json& where, const Limits& limits);
/// The expression in PCRE2's syntax: flattens nested classes, maps \h and (?m). Throws at `where` for what PCRE2 cannot
/// say.
std::string translate_from_oniguruma(std::string_view expression, const Json& where);

}  // namespace braid::text
