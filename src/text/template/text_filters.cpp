// Filters on strings.

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "text/template/evaluator.h"
#include "text/template/format.h"
#include "text/template/protocol.h"
#include "text/template/strings.h"
#include "text/template/tables.h"
#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid::jinja {
namespace {

/// A string as it is, anything else as str() writes it.
Value soft(Evaluator& e, const Value& v) { return v.is_string() ? v : e.runtime().string(str(e.runtime(), v)); }

/// The method of that name on the value as a string.
Value by_method(Evaluator& e, const Bound& a, std::string_view name) {
  Arguments arguments = a.all;
  arguments.positional[0] = soft(e, a[0]);
  return invoke(e, *find_method(arguments.positional[0], name), arguments);
}

Value upper(Evaluator& e, const Bound& a) { return by_method(e, a, "upper"); }
Value lower(Evaluator& e, const Bound& a) { return by_method(e, a, "lower"); }
Value capitalize(Evaluator& e, const Bound& a) { return by_method(e, a, "capitalize"); }
Value trim(Evaluator& e, const Bound& a) { return by_method(e, a, "strip"); }
Value string(Evaluator& e, const Bound& a) { return soft(e, a[0]); }

Value center(Evaluator& e, const Bound& a) {
  Arguments arguments{.positional = {soft(e, a[0]), a.has(1) ? a[1] : Value::integer(80)}};
  return invoke(e, *find_method(arguments.positional[0], "center"), arguments);
}

/// Capitals after the beginning, white space and opening brackets; not after an apostrophe, as str.title would.
Value title(Evaluator& e, const Bound& a) {
  const Value given = soft(e, a[0]);
  const Text& text = given.text();
  Text out;
  bool first = true;
  e.runtime().spend(text.size());
  for (size_t at = 0; at < text.size();) {
    const utf8::Character c = utf8::decode(text.view(), at);
    const bool breaks = is_python_space(c.code_point) ||
                        (c.code_point < 0x80 &&
                         std::string_view("-({[<").find(static_cast<char>(c.code_point)) != std::string_view::npos);
    out.append(breaks ? text.slice(at, at + c.bytes)
                      : with_case(text.slice(at, at + c.bytes), first ? Case::upper : Case::lower));
    first = breaks;
    at += c.bytes;
  }
  return e.runtime().string(std::move(out));
}

Value replace_text(Evaluator& e, const Bound& a) {
  const Value given = e.runtime().string(str(e.runtime(), a[0]));
  const Text from = str(e.runtime(), a[1]), to = str(e.runtime(), a[2]);
  return replaced(e.runtime(), given, from.view(), to, a.is_none_or_absent(3) ? -1 : need_index(a[3], "count"));
}

Value escape_text(Evaluator& e, const Bound& a) {
  if (a[0].is_markup()) return a[0];
  return e.runtime().string(escape(str(e.runtime(), a[0])), true);
}

Value force_escape(Evaluator& e, const Bound& a) { return e.runtime().string(escape(str(e.runtime(), a[0])), true); }
Value safe(Evaluator& e, const Bound& a) { return e.runtime().string(str(e.runtime(), a[0]), true); }

Value indent(Evaluator& e, const Bound& a) {
  Value given = a[0];
  if (given.is_undefined()) fail_undefined(given);
  if (!given.is_string()) throw Fault("indent: a string is needed, not '" + std::string(type_name(given)) + "'");
  Text pad;
  if (a.has(1) && a[1].is_string()) {
    pad = a[1].text();
  } else {
    const int64_t width = a.has(1) ? need_index(a[1], "width") : 4;
    e.runtime().check_size(static_cast<uint64_t>(std::max<int64_t>(width, 0)));
    pad = Text(std::string(static_cast<size_t>(std::max<int64_t>(width, 0)), ' '), Origin::literal);
  }
  if (given.is_markup() && !(a.has(1) && a[1].is_markup())) pad = escape(pad);
  const bool first = a.truth_or(2, false), blank = a.truth_or(3, false);
  Text with_end = given.text();
  with_end.append("\n", Origin::literal);
  const std::vector<Text> lines = split_lines(with_end, false);
  e.runtime().check_size(lines.size() * pad.size() + with_end.size());
  Text out;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out.append("\n", Origin::literal);
    if (i == 0 ? first : blank || !lines[i].empty()) out.append(pad);
    out.append(lines[i]);
  }
  return e.runtime().string(std::move(out), given.is_markup());
}

Value format(Evaluator& e, const Bound& a) {
  std::vector<Value> rest(a.all.positional.begin() + 1, a.all.positional.end());
  if (!rest.empty() && !a.all.keywords.empty())
    throw Fault("can't handle positional and keyword arguments at the same time");
  const Value given = soft(e, a[0]);
  if (a.all.keywords.empty())
    return e.runtime().string(format_percent(e.runtime(), given, e.runtime().tuple(std::move(rest))),
                              given.is_markup());
  auto& dict = e.runtime().make<Dict>();
  for (const auto& [name, value] : a.all.keywords) dict.set(e.runtime().string(name), value);
  return e.runtime().string(format_percent(e.runtime(), given, Value::object(Kind::dict, dict)), given.is_markup());
}

size_t byte_of(std::string_view text, int64_t characters) {
  size_t at = 0;
  for (; characters > 0 && at < text.size(); --characters) at += utf8::length(text[at]);
  return at;
}

Value truncate(Evaluator& e, const Bound& a) {
  const Text& text = need_text(a[0], "truncate");
  const int64_t length = a.has(1) ? need_index(a[1], "length") : 255;
  const Text end = a.has(3) ? need_text(a[3], "end") : Text("...", Origin::literal);
  const int64_t leeway = a.is_none_or_absent(4) ? 5 : need_index(a[4], "leeway");
  const auto end_length = static_cast<int64_t>(utf8::count(end.view()));
  if (length < end_length)
    throw Fault("expected length >= " + std::to_string(end_length) + ", got " + std::to_string(length));
  if (leeway < 0) throw Fault("expected leeway >= 0, got " + std::to_string(leeway));
  if (static_cast<int64_t>(utf8::count(text.view())) <= length + leeway) return a[0];
  Text kept = text.slice(0, byte_of(text.view(), length - end_length));
  if (!a.truth_or(2, false)) kept = split(kept, " ", 1, true).front();
  kept.append(end);
  return e.runtime().string(std::move(kept), a[0].is_markup());
}

Value word_count(Evaluator& e, const Bound& a) {
  const Value given = soft(e, a[0]);
  Integer words = 0;
  bool inside = false;
  for (size_t at = 0; at < given.view().size(); at += utf8::length(given.view()[at])) {
    const char32_t c = utf8::decode(given.view(), at).code_point;
    const bool word = c == '_' || (unicode::classes(c) & (unicode::kL | unicode::kN)) != 0;
    words += word && !inside;
    inside = word;
  }
  return Value::integer(words);
}

/// Without tags and comments, white space made single spaces, the usual entities as characters.
Value strip_tags(Evaluator& e, const Bound& a) {
  const Text text = str(e.runtime(), a[0]);
  const std::string_view view = text.view();
  Text kept;
  size_t from = 0;
  while (true) {
    const size_t start = view.find('<', from);
    if (start == std::string_view::npos) break;
    const bool comment = view.substr(start).starts_with("<!--");
    const size_t end = comment ? view.find("-->", start + 4) : view.find('>', start);
    if (end == std::string_view::npos) break;
    kept.append(text, from, start);
    from = end + (comment ? 3 : 1);
  }
  kept.append(text, from, view.size());
  Text out;
  for (const Text& word : split(kept, std::nullopt, -1, false)) {
    if (!out.empty()) out.append(" ", Origin::literal);
    out.append(word);
  }
  constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&lt;", "<"}, {"&gt;", ">"}, {"&#34;", "\""}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}};
  for (const auto& [entity, character] : kEntities)
    out = replace(out, entity, Text(std::string(character), out.origin()), -1);
  return e.runtime().string(std::move(out));
}

void append_quoted(Text& out, const Text& text, bool query) {
  constexpr std::string_view kPlain = "_.-~", kHex = "0123456789ABCDEF";
  std::string quoted;
  for (const char c : text.view()) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && std::isalnum(byte) != 0) || kPlain.find(c) != std::string_view::npos || (c == '/' && !query))
      quoted += c;
    else if (c == ' ' && query)
      quoted += '+';
    else
      ((quoted += '%') += kHex[byte >> 4]) += kHex[byte & 15];
  }
  out.append(quoted, text.origin());
}

Value url_encode(Evaluator& e, const Bound& a) {
  Text out;
  if (a[0].is_string() || !is_iterable(a[0])) {
    append_quoted(out, str(e.runtime(), a[0]), false);
    return e.runtime().string(std::move(out));
  }
  std::vector<Value> pairs;
  if (a[0].is(Kind::dict))
    for (const auto& [key, value] : a[0].as<Dict>().entries) pairs.push_back(e.runtime().tuple({key, value}));
  else
    pairs = elements(e.runtime(), a[0]);
  for (const Value& pair : pairs) {
    const std::vector<Value> parts = elements(e.runtime(), pair);
    if (parts.size() != 2) throw Fault("urlencode needs pairs");
    if (!out.empty()) out.append("&", Origin::literal);
    append_quoted(out, str(e.runtime(), parts[0]), true);
    out.append("=", Origin::literal);
    append_quoted(out, str(e.runtime(), parts[1]), true);
  }
  return e.runtime().string(std::move(out));
}

Value xml_attributes(Evaluator& e, const Bound& a) {
  if (!a[0].is(Kind::dict)) throw Fault("xmlattr needs a mapping");
  Text out;
  for (const auto& [key, value] : a[0].as<Dict>().entries) {
    if (value.is_none() || value.is_undefined()) continue;
    const Text& name = need_text(key, "xmlattr");
    if (name.view().find_first_of(" \t\n\r\f\v/>=") != std::string_view::npos)
      throw Fault("Invalid character in attribute name: " + repr_of(name.view()));
    if (a.truth_or(1, true) || !out.empty()) out.append(" ", Origin::literal);
    out.append(escape(name));
    out.append("=\"", Origin::literal);
    out.append(value.is_markup() ? value.text() : escape(str(e.runtime(), value)));
    out.append("\"", Origin::literal);
  }
  return e.runtime().string(std::move(out));
}

Value file_size(Evaluator& e, const Bound& a) {
  const Arguments given{.positional = {a[0]}};
  const double bytes = invoke(e, *find_filter("float"), given).as_real();
  const bool binary = a.truth_or(1, false);
  const double base = binary ? 1024 : 1000;
  if (bytes == 1) return e.runtime().string("1 Byte");
  char text[64];
  if (bytes < base) {
    std::snprintf(text, sizeof text, "%.0f Bytes", std::trunc(bytes));
    return e.runtime().string(text);
  }
  constexpr std::string_view kUnits = "kMGTPEZY";
  double unit = base * base;
  size_t i = 0;
  for (; i + 1 < kUnits.size() && bytes >= unit; ++i) unit *= base;
  const char letter = binary && i == 0 ? 'K' : kUnits[i];
  std::snprintf(text, sizeof text, "%.1f %c%sB", base * bytes / unit, letter, binary ? "i" : "");
  return e.runtime().string(text);
}

constexpr Callable kFilters[] = {
    {"upper", upper, {"s"}, 1},
    {"lower", lower, {"s"}, 1},
    {"capitalize", capitalize, {"s"}, 1},
    {"title", title, {"s"}, 1},
    {"trim", trim, {"value", "chars"}, 1},
    {"string", string, {"object"}, 1},
    {"center", center, {"value", "width"}, 1},
    {"replace", replace_text, {"s", "old", "new", "count"}, 3},
    {"escape", escape_text, {"s"}, 1},
    {"e", escape_text, {"s"}, 1},
    {"forceescape", force_escape, {"value"}, 1},
    {"safe", safe, {"value"}, 1},
    {"indent", indent, {"s", "width", "first", "blank"}, 1},
    {"format", format, {"value"}, 1, true},
    {"truncate", truncate, {"s", "length", "killwords", "end", "leeway"}, 1},
    {"wordcount", word_count, {"s"}, 1},
    {"striptags", strip_tags, {"value"}, 1},
    {"urlencode", url_encode, {"value"}, 1},
    {"xmlattr", xml_attributes, {"d", "autospace"}, 1},
    {"filesizeformat", file_size, {"value", "binary"}, 1},
};

}  // namespace

std::span<const Callable> text_filters() { return kFilters; }

}  // namespace braid::jinja
