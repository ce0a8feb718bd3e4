#include "text/template/protocol.h"

#include <algorithm>
#include <cmath>

#include "text/unicode/utf8.h"

namespace braid::jinja {
namespace {

/// A comparison of a number of any size with a double must not round the number first.
int compare_numbers(const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int() ? 1 : 0;
  const double x = a.as_real(), y = b.as_real();
  if (x != y || a.is(Kind::real) == b.is(Kind::real) || std::fabs(x) >= 1e38) return x < y ? -1 : x > y ? 1 : 0;
  const Integer i = a.is_int() ? a.as_int() : static_cast<Integer>(x);
  const Integer j = b.is_int() ? b.as_int() : static_cast<Integer>(y);
  return i < j ? -1 : i > j ? 1 : 0;
}

bool is_nan(const Value& v) { return v.is(Kind::real) && std::isnan(v.as_real()); }

bool equal_dicts(Runtime& runtime, const Dict& a, const Dict& b) {
  if (a.entries.size() != b.entries.size()) return false;
  return std::all_of(a.entries.begin(), a.entries.end(), [&](const auto& entry) {
    const Value* other = b.find(entry.first);
    return other != nullptr && equal(runtime, entry.second, *other);
  });
}

}  // namespace

std::string_view type_name(const Value& v) {
  switch (v.kind()) {
    case Kind::undefined:
      return "Undefined";
    case Kind::none:
      return "NoneType";
    case Kind::boolean:
      return "bool";
    case Kind::integer:
      return "int";
    case Kind::real:
      return "float";
    case Kind::string:
      return v.is_markup() ? "Markup" : "str";
    case Kind::list:
      return "list";
    case Kind::tuple:
      return "tuple";
    case Kind::dict:
      return "dict";
    case Kind::view:
      return v.as<Sequence>().name;
    case Kind::range:
      return "range";
    case Kind::iterator:
      return "generator";
    case Kind::name_space:
      return "Namespace";
    case Kind::macro:
      return "Macro";
    case Kind::loop:
      return "LoopContext";
    case Kind::function:
      return "function";
    case Kind::method:
      return "method";
    case Kind::cycler:
      return "Cycler";
    case Kind::joiner:
      return "Joiner";
  }
  return "object";
}

void fail_undefined(const Value& v) {
  throw Fault(v.text_ptr() ? v.text().bytes() : std::string("a value is undefined"));
}

std::optional<size_t> length_if_any(const Value& v) {
  switch (v.kind()) {
    case Kind::undefined:
      return 0;
    case Kind::string:
      return utf8::count(v.view());
    case Kind::list:
    case Kind::tuple:
    case Kind::view:
    case Kind::range:
      return v.items().size();
    case Kind::dict:
      return v.as<Dict>().entries.size();
    default:
      return std::nullopt;
  }
}

size_t length(const Value& v) {
  if (const auto n = length_if_any(v)) return *n;
  throw Fault("object of type '" + std::string(type_name(v)) + "' has no len()");
}

bool truth(const Value& v) {
  switch (v.kind()) {
    case Kind::undefined:
    case Kind::none:
      return false;
    case Kind::boolean:
    case Kind::integer:
      return v.as_int() != 0;
    case Kind::real:
      return v.as_real() != 0;
    case Kind::string:
      return !v.text().empty();
    default:
      return length_if_any(v).value_or(1) != 0;
  }
}

bool is_iterable(const Value& v) {
  return v.is_undefined() || v.is_string() || v.is_sequence() || v.is(Kind::dict) || v.is(Kind::iterator) ||
         v.is(Kind::loop);
}

std::vector<Value> elements(Runtime& runtime, const Value& v) {
  std::vector<Value> all;
  if (v.is_undefined()) return all;
  if (v.is(Kind::iterator)) {
    all = v.as<Iterator>().take();
  } else if (v.is_sequence()) {
    all = v.items();
  } else if (v.is(Kind::dict)) {
    for (const auto& entry : v.as<Dict>().entries) all.push_back(entry.first);
  } else if (v.is_string()) {
    const std::string_view text = v.view();
    runtime.spend(text.size());
    for (size_t at = 0; at < text.size();) {
      const size_t end = at + utf8::length(text[at]);
      all.push_back(runtime.string(v.text().slice(at, end), v.is_markup()));
      at = end;
    }
  } else {
    throw Fault("'" + std::string(type_name(v)) + "' object is not iterable");
  }
  runtime.spend(all.size() / 8);
  return all;
}

bool equal(Runtime& runtime, const Value& a, const Value& b) {
  runtime.spend(1);
  if (a.is_number() && b.is_number()) return !is_nan(a) && !is_nan(b) && compare_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::undefined:
    case Kind::none:
      return true;
    case Kind::string:
      return a.view() == b.view();
    case Kind::list:
    case Kind::tuple:
    case Kind::range:
    case Kind::view: {
      const Runtime::Deeper deeper(runtime);
      return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(),
                        [&](const Value& x, const Value& y) { return equal(runtime, x, y); });
    }
    case Kind::dict: {
      const Runtime::Deeper deeper(runtime);
      return a.identity() == b.identity() || equal_dicts(runtime, a.as<Dict>(), b.as<Dict>());
    }
    default:
      return a.identity() == b.identity();
  }
}

int compare(Runtime& runtime, const Value& a, const Value& b, std::string_view op) {
  runtime.spend(1);
  if (a.is_undefined()) fail_undefined(a);
  if (b.is_undefined()) fail_undefined(b);
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.is_string() && b.is_string()) return a.view().compare(b.view());  // bytes of UTF-8 sort as code points do
  if (a.kind() == b.kind() && (a.is(Kind::list) || a.is(Kind::tuple))) {
    const Runtime::Deeper deeper(runtime);
    const auto &x = a.items(), &y = b.items();
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i)
      if (!equal(runtime, x[i], y[i])) return compare(runtime, x[i], y[i], op);
    return x.size() < y.size() ? -1 : x.size() > y.size() ? 1 : 0;
  }
  throw Fault("'" + std::string(op) + "' not supported between instances of '" + std::string(type_name(a)) + "' and '" +
              std::string(type_name(b)) + "'");
}

bool contains(Runtime& runtime, const Value& container, const Value& item) {
  if (container.is_string()) {
    if (item.is_undefined() || !item.is_string())
      throw Fault("'in <string>' requires string as left operand, not " + std::string(type_name(item)));
    runtime.spend(container.view().size() / 64);
    return container.view().find(item.view()) != std::string_view::npos;
  }
  if (container.is(Kind::dict)) return container.as<Dict>().find(item) != nullptr;
  if (!is_iterable(container))
    throw Fault("argument of type '" + std::string(type_name(container)) + "' is not iterable");
  if (container.is(Kind::iterator)) {  // what comes before the item is used up
    while (const auto next = container.as<Iterator>().next())
      if (equal(runtime, *next, item)) return true;
    return false;
  }
  const auto is_item = [&](const Value& v) { return equal(runtime, v, item); };
  if (container.is_sequence()) return std::any_of(container.items().begin(), container.items().end(), is_item);
  return false;
}

std::string hash_of(const Value& key) {
  switch (key.kind()) {
    case Kind::string:
      return "s" + key.text().bytes();
    case Kind::boolean:
    case Kind::integer:
      return "i" + to_decimal(key.as_int());
    case Kind::real: {
      const double d = key.as_real();
      if (d == std::floor(d) && std::fabs(d) < 1e38) return "i" + to_decimal(static_cast<Integer>(d));
      return "r" + repr_of(d);
    }
    case Kind::none:
      return "n";
    case Kind::undefined:
      return "u";
    case Kind::tuple: {
      std::string all = "(";
      for (const Value& item : key.items()) {
        const std::string part = hash_of(item);
        all += std::to_string(part.size()) + ":" + part;
      }
      return all + ")";
    }
    case Kind::list:
    case Kind::dict:
    case Kind::view:
      throw Fault("unhashable type: '" + std::string(type_name(key)) + "'");
    default:
      return "o" + std::to_string(reinterpret_cast<uintptr_t>(key.identity()));
  }
}

Integer need_int(const Value& v, std::string_view what) {
  if (v.is_undefined()) fail_undefined(v);
  if (!v.is_int())
    throw Fault(std::string(what) + ": '" + std::string(type_name(v)) + "' object cannot be interpreted as an integer");
  return v.as_int();
}

int64_t need_index(const Value& v, std::string_view what) {
  constexpr Integer kMost = Integer(1) << 62;
  return static_cast<int64_t>(std::clamp(need_int(v, what), -kMost, kMost));
}

const Text& need_text(const Value& v, std::string_view what) {
  if (v.is_undefined()) fail_undefined(v);
  if (!v.is_string()) throw Fault(std::string(what) + ": a string is needed, not '" + std::string(type_name(v)) + "'");
  return v.text();
}

Text escape(const Text& text) {
  Text out;
  const std::string_view bytes = text.view();
  size_t from = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string_view with;
    switch (bytes[i]) {
      case '&':
        with = "&amp;";
        break;
      case '<':
        with = "&lt;";
        break;
      case '>':
        with = "&gt;";
        break;
      case '\'':
        with = "&#39;";
        break;
      case '"':
        with = "&#34;";
        break;
      default:
        continue;
    }
    out.append(text, from, i);
    out.append(with, text.slice(i, i + 1).origin());
    from = i + 1;
  }
  out.append(text, from, bytes.size());
  return out;
}

}  // namespace braid::jinja
