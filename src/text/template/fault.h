#pragma once
// Errors inside the template engine: they know what, the evaluator knows where.

#include <cstdint>
#include <stdexcept>
#include <string>

namespace braid::jinja {

/// Where a token begins, both from 1; columns count characters.
struct Position {
  uint32_t line = 1, column = 1;
};

/// What went wrong while rendering; becomes a TemplateError with the position of the expression.
class Fault : public std::runtime_error {
 public:
  enum class Kind : uint8_t { error, raised, budget };
  explicit Fault(const std::string& what, Kind kind = Kind::error) : std::runtime_error(what), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

}  // namespace braid::jinja
