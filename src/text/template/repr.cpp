// str() and repr() of every kind of value.

#include <charconv>
#include <cmath>

#include "text/template/callable.h"
#include "text/template/protocol.h"
#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid::jinja {
namespace {

bool is_printable(char32_t c) {
  if (c == ' ') return true;
  return (unicode::classes(c) & (unicode::kCc | unicode::kCf | unicode::kCo | unicode::kCn | unicode::kZ)) == 0;
}

void append_hex(std::string& to, char prefix, int digits, char32_t c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  to += '\\';
  to += prefix;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) to += kDigits[(c >> shift) & 15];
}

void append_repr(Runtime& runtime, std::string& to, const Value& v);

void append_items(Runtime& runtime, std::string& to, const std::vector<Value>& items) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) to += ", ";
    append_repr(runtime, to, items[i]);
  }
}

void append_dict(Runtime& runtime, std::string& to, const Dict& dict) {
  to += '{';
  for (size_t i = 0; i < dict.entries.size(); ++i) {
    if (i > 0) to += ", ";
    append_repr(runtime, to, dict.entries[i].first);
    to += ": ";
    append_repr(runtime, to, dict.entries[i].second);
  }
  to += '}';
}

void append_range(std::string& to, const Sequence& range) {
  to += "range(" + to_decimal(range.start) + ", " + to_decimal(range.stop);
  if (range.step != 1) to += ", " + to_decimal(range.step);
  to += ')';
}

void append_repr(Runtime& runtime, std::string& to, const Value& v) {
  const Runtime::Deeper deeper(runtime);
  runtime.spend(1);
  runtime.check_size(to.size());
  switch (v.kind()) {
    case Kind::undefined:
      to += "Undefined";
      return;
    case Kind::none:
      to += "None";
      return;
    case Kind::boolean:
      to += v.as_bool() ? "True" : "False";
      return;
    case Kind::integer:
      to += to_decimal(v.as_int());
      return;
    case Kind::real:
      to += repr_of(v.as_real());
      return;
    case Kind::string:
      to += v.is_markup() ? "Markup(" + repr_of(v.view()) + ")" : repr_of(v.view());
      return;
    case Kind::list:
      to += '[';
      append_items(runtime, to, v.items());
      to += ']';
      return;
    case Kind::tuple:
      to += '(';
      append_items(runtime, to, v.items());
      to += v.items().size() == 1 ? ",)" : ")";
      return;
    case Kind::view:
      to += std::string(type_name(v)) + "([";
      append_items(runtime, to, v.items());
      to += "])";
      return;
    case Kind::dict:
      append_dict(runtime, to, v.as<Dict>());
      return;
    case Kind::range:
      append_range(to, v.as<Sequence>());
      return;
    case Kind::name_space:
      to += "<Namespace {";
      for (size_t i = 0; const auto& [name, value] : v.as<Namespace>().attributes) {
        if (i++ > 0) to += ", ";
        to += repr_of(name) + ": ";
        append_repr(runtime, to, value);
      }
      to += "}>";
      return;
    case Kind::macro:
      to += "<Macro " + repr_of(v.as<Macro>().definition->text) + ">";
      return;
    case Kind::loop:
      to += "<LoopContext " + std::to_string(v.as<Loop>().index + 1) + "/" + std::to_string(v.as<Loop>().size) + ">";
      return;
    default:
      to += "<" + std::string(type_name(v)) + ">";
      return;
  }
}

}  // namespace

std::string repr_of(std::string_view text) {
  const bool single = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = single ? '"' : '\'';
  std::string out(1, quote);
  for (size_t at = 0; at < text.size();) {
    const utf8::Character c = utf8::decode(text, at);
    const std::string_view bytes = text.substr(at, c.bytes);
    at += c.bytes;
    if (c.code_point == static_cast<char32_t>(quote) || c.code_point == '\\')
      (out += '\\') += bytes;
    else if (c.code_point == '\n')
      out += "\\n";
    else if (c.code_point == '\r')
      out += "\\r";
    else if (c.code_point == '\t')
      out += "\\t";
    else if (is_printable(c.code_point))
      out += bytes;
    else if (c.code_point < 0x100)
      append_hex(out, 'x', 2, c.code_point);
    else if (c.code_point < 0x10000)
      append_hex(out, 'u', 4, c.code_point);
    else
      append_hex(out, 'U', 8, c.code_point);
  }
  return out + quote;
}

std::string repr_of(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char buffer[64];
  // The shortest digits that read back as the same number; Python switches to an exponent below 1e-4 and from 1e16 on.
  const double size = std::fabs(number);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, number, format).ptr);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string repr(Runtime& runtime, const Value& v) {
  std::string out;
  append_repr(runtime, out, v);
  return out;
}

void append_str(Runtime& runtime, Text& to, const Value& v) {
  if (v.is_undefined()) return;
  if (v.is_string()) {
    runtime.check_size(to.size() + v.text().size());
    runtime.spend(v.text().size() / 64);
    to.append(v.text());
    return;
  }
  to.append(repr(runtime, v), Origin::data);
  runtime.check_size(to.size());
}

Text str(Runtime& runtime, const Value& v) {
  Text text;
  append_str(runtime, text, v);
  return text;
}

}  // namespace braid::jinja
