#include "text/template/template.h"

#include "text/template/check.h"
#include "text/template/evaluator.h"
#include "text/template/parser.h"
#include "text/unicode/utf8.h"

namespace braid::jinja {
namespace {

std::string described(Position at) {
  return "line " + std::to_string(at.line) + ", column " + std::to_string(at.column);
}

Place place_of(const std::string& file, Position at, Fault::Kind kind) {
  if (kind == Fault::Kind::raised) return {};
  return {.file = file, .field = described(at), .offset = {}};
}

}  // namespace

TemplateError::TemplateError(std::string what, const std::string& file, Position position, Fault::Kind kind)
    : Error(std::move(what), place_of(file, position, kind)), position_(position), kind_(kind) {}

Template::Template(std::unique_ptr<Tree> tree, std::string file, const TemplateLimits& limits)
    : tree_(std::move(tree)), file_(std::move(file)), limits_(limits) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Template Template::parse(std::string_view source, std::string file, const TemplateLimits& limits) {
  if (source.size() > limits.max_source_bytes)
    throw Error("the template has " + std::to_string(source.size()) + " bytes, more than the limit of " +
                    std::to_string(limits.max_source_bytes),
                {.file = file, .field = {}, .offset = {}});
  if (const auto offset = utf8::first_invalid(source))
    throw Error("the template is not UTF-8", {.file = file, .field = {}, .offset = *offset});
  try {
    const ParserOptions options{.max_nesting = limits.max_nesting, .max_depth = limits.max_depth / 2};
    auto tree = std::make_unique<Tree>(Parser(tokenize(source), options).parse());
    check(*tree);
    return {std::move(tree), std::move(file), limits};
  } catch (const SyntaxFault& fault) {
    throw TemplateError(fault.what, file, fault.at, Fault::Kind::error);
  }
}

Rendered Template::render(const std::vector<Variable>& variables, const std::tm& now) const {
  Runtime runtime(limits_, now);
  Position at;
  try {
    auto& scope = runtime.make<Scope>(nullptr);
    for (const Variable& variable : variables)
      for (Symbol symbol = 0; symbol < tree_->names.size(); ++symbol)
        if (tree_->names[symbol] == variable.name) scope.set(symbol, variable.make(runtime));
    Evaluator evaluator(*tree_, runtime, scope);
    try {
      Rendered rendered{.text = evaluator.render(), .generations = {}};
      for (const auto& [begin, end] : evaluator.generations()) rendered.generations.emplace_back(begin, end);
      return rendered;
    } catch (const Fault&) {
      at = evaluator.position();
      throw;
    }
  } catch (const Fault& fault) {
    throw TemplateError(fault.what(), file_, at, fault.kind());
  }
}

bool is_function_name(std::string_view name) { return find_function(name) != nullptr; }

}  // namespace braid::jinja
