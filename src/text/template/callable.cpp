#include "text/template/callable.h"

#include <algorithm>

#include "text/template/evaluator.h"
#include "text/template/protocol.h"

namespace braid::jinja {

const Value* Arguments::keyword(std::string_view name) const {
  for (const auto& [known, value] : keywords)
    if (known == name) return &value;
  return nullptr;
}

bool Bound::truth_or(size_t i, bool otherwise) const { return has(i) ? truth(*values[i]) : otherwise; }

Value invoke(Evaluator& evaluator, const Callable& callable, const Arguments& arguments) {
  evaluator.runtime().spend(1);
  Bound bound{.all = arguments};
  const auto& names = callable.parameters;
  const size_t count = static_cast<size_t>(std::find(names.begin(), names.end(), "") - names.begin());
  const std::string title = std::string(callable.name) + "()";
  if (arguments.positional.size() > count && !callable.variadic)
    throw Fault(title + " takes " + std::to_string(count) + " positional arguments but " +
                std::to_string(arguments.positional.size()) + " were given");
  for (size_t i = 0; i < std::min(count, arguments.positional.size()); ++i) bound.values[i] = &arguments.positional[i];
  for (const auto& [name, value] : arguments.keywords) {
    const auto at = static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (at >= count) {
      if (callable.variadic) continue;
      throw Fault(title + " got an unexpected keyword argument '" + name + "'");
    }
    if (bound.has(at)) throw Fault(title + " got multiple values for argument '" + name + "'");
    bound.values[at] = &value;
  }
  for (size_t i = 0; i < callable.required; ++i)
    if (!bound.has(i)) throw Fault(title + " missing required argument '" + std::string(names[i]) + "'");
  return callable.call(evaluator, bound);
}

}  // namespace braid::jinja
