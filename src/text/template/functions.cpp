// The global functions of chat templates.

#include <ctime>

#include "text/template/evaluator.h"
#include "text/template/protocol.h"
#include "text/template/tables.h"

namespace braid::jinja {
namespace {

Value range(Evaluator& e, const Bound& a) {
  const Integer first = need_int(a[0], "range");
  if (!a.has(1)) return e.runtime().range(0, first, 1);
  return e.runtime().range(first, need_int(a[1], "range"), a.has(2) ? need_int(a[2], "range") : 1);
}

/// dict(...): from a mapping or pairs, and from keywords.
Value make_dict(Evaluator& e, const Bound& a) {
  auto& dict = e.runtime().make<Dict>();
  if (a.all.positional.size() > 1) throw Fault("dict expected at most 1 argument");
  if (a.all.positional.size() == 1) {
    const Value& from = a.all.positional[0];
    if (from.is(Kind::dict)) {
      dict.entries = from.as<Dict>().entries;
    } else {
      for (const Value& pair : elements(e.runtime(), from)) {
        const std::vector<Value> parts = elements(e.runtime(), pair);
        if (parts.size() != 2) throw Fault("dictionary update sequence: each element must have length 2");
        dict.set(parts[0], parts[1]);
      }
    }
  }
  for (const auto& [name, value] : a.all.keywords) dict.set(e.runtime().string(name, Origin::literal), value);
  e.runtime().hold(dict.entries.size() * 2 * sizeof(Value));
  return Value::object(Kind::dict, dict);
}

Value make_namespace(Evaluator& e, const Bound& a) {
  const Value from = make_dict(e, a);
  auto& made = e.runtime().make<Namespace>();
  for (const auto& [key, value] : from.as<Dict>().entries) made.set(need_text(key, "namespace").view(), value);
  return Value::object(Kind::name_space, made);
}

Value raise_exception(Evaluator& e, const Bound& a) {
  throw Fault(str(e.runtime(), a[0]).bytes(), Fault::Kind::raised);
}

Value strftime_now(Evaluator& e, const Bound& a) {
  const std::string_view given = need_text(a[0], "strftime_now").view();
  if (given.size() > 4096) throw Fault("a time format of " + std::to_string(given.size()) + " bytes is too long");
  std::string format;  // Python's own letters: microseconds, and no time zone
  for (size_t i = 0; i < given.size(); ++i) {
    if (given[i] != '%' || i + 1 >= given.size()) {
      format += given[i];
      continue;
    }
    const char letter = given[++i];
    if (letter == 'f')
      format += "000000";
    else if (letter != 'z' && letter != 'Z')
      (format += '%') += letter;
  }
  if (format.empty()) return e.runtime().string("");
  std::vector<char> buffer(format.size() * 64 + 256);
  const std::tm& now = e.runtime().now();
  const size_t n = std::strftime(buffer.data(), buffer.size(), format.c_str(), &now);
  return e.runtime().string(std::string(buffer.data(), n), Origin::literal);
}

Value make_cycler(Evaluator& e, const Bound& a) {
  if (a.all.positional.empty()) throw Fault("at least one item has to be provided");
  auto& made = e.runtime().make<Cycler>();
  made.items = a.all.positional;
  return Value::object(Kind::cycler, made);
}

Value make_joiner(Evaluator& e, const Bound& a) {
  auto& made = e.runtime().make<Joiner>();
  made.separator = a.has(0) ? a[0] : e.runtime().string(", ", Origin::literal);
  return Value::object(Kind::joiner, made);
}

constexpr Callable kFunctions[] = {
    {"range", range, {"start", "stop", "step"}, 1},
    {"dict", make_dict, {}, 0, true},
    {"namespace", make_namespace, {}, 0, true},
    {"raise_exception", raise_exception, {"message"}, 1},
    {"strftime_now", strftime_now, {"format"}, 1},
    {"cycler", make_cycler, {}, 0, true},
    {"joiner", make_joiner, {"sep"}, 0},
};

}  // namespace

std::span<const Callable> functions() { return kFunctions; }

}  // namespace braid::jinja
