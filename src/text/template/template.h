#pragma once
// Template: a chat template as transformers runs it (Jinja2 in an immutable sandbox, trim_blocks and lstrip_blocks on,
// loop controls, {% generation %}), with budgets.

#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/limits.h"
#include "text/template/fault.h"
#include "text/template/text.h"

namespace braid::jinja {

/// What a template cannot do; `place().field` is "line L, column C". What raise_exception was called with is the
/// message as it stands, without a place, which `position()` still tells.
class TemplateError : public Error {
 public:
  TemplateError(std::string what, const std::string& file, Position position, Fault::Kind kind);
  Position position() const { return position_; }
  /// The template itself refused its input.
  bool raised() const { return kind_ == Fault::Kind::raised; }
  /// A limit was exceeded: steps, bytes, depth, the length of a range.
  bool over_budget() const { return kind_ == Fault::Kind::budget; }

 private:
  Position position_;
  Fault::Kind kind_;
};

class Runtime;
class Value;

/// A variable of a rendering: its value is made when the rendering begins, and lives as long.
struct Variable {
  std::string name;
  std::function<Value(Runtime&)> make;
};

struct Rendered {
  Text text;
  /// Bytes [begin, end) that {% generation %} blocks wrote.
  std::vector<std::pair<size_t, size_t>> generations;
};

struct Tree;

/// Immutable once parsed; any number of threads may render one at a time.
class Template {
 public:
  /// `file` names it in errors. Throws TemplateError, Error when the source is too long or no UTF-8.
  static Template parse(std::string_view source, std::string file, const TemplateLimits& limits = {});
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  /// Variables that are given twice: the last one counts. Throws TemplateError; what `make` throws passes through.
  Rendered render(const std::vector<Variable>& variables, const std::tm& now) const;
  const std::string& file() const { return file_; }

 private:
  Template(std::unique_ptr<Tree> tree, std::string file, const TemplateLimits& limits);
  std::unique_ptr<Tree> tree_;
  std::string file_;
  TemplateLimits limits_;
};

/// Whether a name is one of the global functions (range, namespace, raise_exception …).
bool is_function_name(std::string_view name);

}  // namespace braid::jinja
