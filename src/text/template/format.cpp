#include "text/template/format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "text/template/evaluator.h"
#include "text/template/protocol.h"
#include "text/unicode/utf8.h"

namespace braid::jinja {
namespace {

constexpr int64_t kMostWidth = 1 << 20;

/// [[fill]align][sign][#][0][width][,][.precision][type]
struct Specification {
  std::string fill = " ";
  char align = '\0', sign = '-', type = '\0', grouping = '\0';
  bool alternate = false, zero = false;
  int64_t width = 0, precision = -1;
};

bool is_align(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }

int64_t read_number(std::string_view text, size_t& at) {
  int64_t n = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    n = n * 10 + (text[at] - '0');
    if (n > kMostWidth) throw Fault("a format's width is too large", Fault::Kind::budget);
  }
  return n;
}

Specification read_specification(std::string_view text) {
  Specification s;
  size_t at = 0;
  const size_t first = text.empty() ? 0 : utf8::length(text[0]);
  if (text.size() > first && first > 0 && is_align(text[first])) {
    s.fill = text.substr(0, first);
    s.align = text[first];
    at = first + 1;
  } else if (!text.empty() && is_align(text[0])) {
    s.align = text[at++];
  }
  if (at < text.size() && (text[at] == '+' || text[at] == '-' || text[at] == ' ')) s.sign = text[at++];
  if (at < text.size() && text[at] == '#') s.alternate = ++at > 0;
  if (at < text.size() && text[at] == '0') s.zero = ++at > 0;
  s.width = read_number(text, at);
  if (at < text.size() && (text[at] == ',' || text[at] == '_')) s.grouping = text[at++];
  if (at < text.size() && text[at] == '.') {
    const size_t digits = ++at;
    s.precision = read_number(text, at);
    if (at == digits) throw Fault("Format specifier missing precision");
  }
  if (at < text.size()) s.type = text[at++];
  if (at < text.size()) throw Fault("Invalid format specifier " + repr_of(text));
  return s;
}

std::string grouped(std::string digits, char separator, size_t each) {
  for (size_t at = digits.size(); at > each; at -= each) digits.insert(at - each, 1, separator);
  return digits;
}

std::string in_base(Integer value, unsigned base, bool upper) {
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string text;
  for (; value > 0; value /= base) text += digits[static_cast<size_t>(value % base)];
  if (text.empty()) text = "0";
  std::reverse(text.begin(), text.end());
  return text;
}

/// Digits of a number that is not negative; `prefix` as # asks for.
std::string integer_digits(Integer value, const Specification& s, std::string& prefix) {
  switch (s.type) {
    case 'x':
    case 'X':
      if (s.alternate) prefix = s.type == 'x' ? "0x" : "0X";
      return grouped(in_base(value, 16, s.type == 'X'), s.grouping, s.grouping != '\0' ? 4 : 1000);
    case 'o':
      if (s.alternate) prefix = "0o";
      return grouped(in_base(value, 8, false), s.grouping, s.grouping != '\0' ? 4 : 1000);
    case 'b':
      if (s.alternate) prefix = "0b";
      return grouped(in_base(value, 2, false), s.grouping, s.grouping != '\0' ? 4 : 1000);
    case 'd':
    case 'n':
    case 'i':
    case 'u':
    case '\0':
      return s.grouping != '\0' ? grouped(to_decimal(value), s.grouping, 3) : to_decimal(value);
    default:
      throw Fault(std::string("Unknown format code '") + s.type + "' for object of type 'int'");
  }
}

std::string real_digits(double value, const Specification& s) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return "inf";
  const char type = s.type == '%' ? 'f' : s.type;
  if (s.type == '%') value *= 100;
  std::string text;
  if (type == '\0' && s.precision < 0) {
    text = repr_of(value);
  } else {
    if (type != '\0' && std::string_view("eEfFgG").find(type) == std::string_view::npos)
      throw Fault(std::string("Unknown format code '") + type + "' for object of type 'float'");
    const int precision = static_cast<int>(std::min<int64_t>(s.precision < 0 ? 6 : s.precision, 1000));
    const char pattern[] = {'%',
                            s.alternate ? '#' : '.',
                            s.alternate ? '.' : '*',
                            s.alternate    ? '*'
                            : type == '\0' ? 'g'
                                           : type,
                            s.alternate ? (type == '\0' ? 'g' : type) : '\0',
                            '\0'};
    char buffer[1500];
    const int n = std::snprintf(buffer, sizeof buffer, pattern, precision, value);
    text.assign(buffer, static_cast<size_t>(std::clamp<int>(n, 0, sizeof buffer - 1)));
  }
  if (s.grouping != '\0') {
    const size_t end = std::min(text.find_first_of(".e"), text.size());
    text = grouped(text.substr(0, end), s.grouping, 3) + text.substr(end);
  }
  return s.type == '%' ? text + "%" : text;
}

Text aligned(Text text, const Specification& s, char otherwise) {
  const int64_t missing = s.width - static_cast<int64_t>(utf8::count(text.view()));
  if (missing <= 0) return text;
  const char align = s.align != '\0' ? s.align : otherwise;
  const int64_t left = align == '>' || align == '=' ? missing : align == '^' ? missing / 2 : 0;
  Text all;
  for (int64_t i = 0; i < left; ++i) all.append(s.fill, Origin::literal);
  all.append(text);
  for (int64_t i = left; i < missing; ++i) all.append(s.fill, Origin::literal);
  return all;
}

Text format_number(const Value& v, Specification s) {
  const bool real =
      v.is(Kind::real) || (s.type != '\0' && std::string_view("eEfFgG%").find(s.type) != std::string_view::npos);
  std::string prefix, digits;
  bool negative = false;
  if (real) {
    const double d = v.as_real();
    negative = std::signbit(d) && !std::isnan(d);
    digits = real_digits(std::fabs(d), s);
  } else {
    negative = v.as_int() < 0;
    digits = integer_digits(negative ? -v.as_int() : v.as_int(), s, prefix);
  }
  const std::string sign = negative ? "-" : s.sign == '-' ? "" : std::string(1, s.sign);
  const std::string head = sign + prefix;
  if (s.zero || s.align == '=') {
    const std::string fill = s.zero && s.align == '\0' ? "0" : s.fill;
    while (static_cast<int64_t>(utf8::count(head + digits)) < s.width && (s.align == '\0' || s.align == '='))
      digits.insert(0, fill);
  }
  return aligned({head + digits, Origin::data}, s, '>');
}

Text format_value(Evaluator& e, const Value& v, std::string_view specification) {
  if (specification.empty()) return str(e.runtime(), v);
  if (v.is_undefined()) throw Fault("unsupported format string passed to Undefined.__format__");
  const Specification s = read_specification(specification);
  e.runtime().spend(static_cast<uint64_t>(s.width));
  if (v.is_number() && !(v.is(Kind::boolean) && s.type == 's')) return format_number(v, s);
  if (!v.is_string()) throw Fault("unsupported format string passed to " + std::string(type_name(v)) + ".__format__");
  if (s.type != '\0' && s.type != 's')
    throw Fault(std::string("Unknown format code '") + s.type + "' for object of type 'str'");
  Text text = v.text();
  if (s.precision >= 0) {
    size_t end = 0;
    for (int64_t i = 0; i < s.precision && end < text.size(); ++i) end += utf8::length(text.view()[end]);
    text = text.slice(0, end);
  }
  return aligned(std::move(text), s, '<');
}

/// One field of str.format: "name.attribute[key]!r:specification".
class Braces {
 public:
  Braces(Evaluator& evaluator, const Value& format, const Arguments& arguments)
      : e_(evaluator), markup_(format.is_markup()), arguments_(arguments) {}

  Text expand(const Text& format, int depth) {
    Text out;
    const std::string_view text = format.view();
    for (size_t at = 0; at < text.size();) {
      const char c = text[at];
      if (c != '{' && c != '}') {
        const size_t end = std::min(text.find_first_of("{}", at), text.size());
        out.append(format, at, end);
        at = end;
      } else if (at + 1 < text.size() && text[at + 1] == c) {
        out.append(format, at, at + 1);
        at += 2;
      } else if (c == '}') {
        throw Fault("Single '}' encountered in format string");
      } else {
        const size_t end = closing(text, at);
        out.append(field(format.slice(at + 1, end), depth));
        at = end + 1;
      }
      e_.runtime().check_size(out.size());
      e_.runtime().spend(1);
    }
    return out;
  }

 private:
  static size_t closing(std::string_view text, size_t at) {
    int open = 0;
    for (; at < text.size(); ++at) {
      if (text[at] == '{') ++open;
      if (text[at] == '}' && --open == 0) return at;
    }
    throw Fault("expected '}' before end of string");
  }

  Text field(const Text& whole, int depth) {
    if (depth > 1) throw Fault("Max string recursion exceeded");
    const std::string_view text = whole.view();
    const size_t colon = std::min(text.find(':'), text.size());
    std::string_view name = text.substr(0, colon);
    char conversion = '\0';
    if (const size_t mark = name.find('!'); mark != std::string_view::npos) {
      if (mark + 2 != name.size()) throw Fault("expected ':' after conversion specifier");
      conversion = name[mark + 1];
      name = name.substr(0, mark);
    }
    Value v = look_up(name);
    if (conversion == 'r' || conversion == 'a')
      v = e_.runtime().string(repr(e_.runtime(), v));
    else if (conversion == 's')
      v = e_.runtime().string(str(e_.runtime(), v));
    else if (conversion != '\0')
      throw Fault(std::string("Unknown conversion specifier ") + conversion);
    Text specification;
    if (colon < text.size()) specification = expand(whole.slice(colon + 1, text.size()), depth + 1);
    Text result = format_value(e_, v, specification.view());
    return markup_ && !v.is_markup() ? escape(result) : result;
  }

  Value look_up(std::string_view name) {
    const size_t end = std::min(name.find_first_of(".["), name.size());
    Value v = argument(name.substr(0, end));
    for (size_t at = end; at < name.size();) {
      if (name[at] == '.') {
        const size_t stop = std::min(name.find_first_of(".[", at + 1), name.size());
        const std::string_view attribute = name.substr(at + 1, stop - at - 1);
        if (attribute.starts_with('_')) throw Fault("access to attribute " + repr_of(attribute) + " is unsafe.");
        v = e_.attribute(v, attribute);
        at = stop;
      } else {
        const size_t stop = name.find(']', at);
        if (name[at] != '[' || stop == std::string_view::npos) throw Fault("Missing ']' in format string");
        const std::string_view key = name.substr(at + 1, stop - at - 1);
        int64_t index = 0;
        const bool number = std::from_chars(key.data(), key.data() + key.size(), index).ptr == key.data() + key.size();
        v = e_.subscript(v, number && !key.empty() ? Value::integer(index) : e_.runtime().string(std::string(key)));
        at = stop + 1;
      }
    }
    return v;
  }

  const Value& argument(std::string_view name) {
    size_t index = next_;
    const bool number =
        !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if ((name.empty() && numbered_) || (number && next_ > 0))
      throw Fault("cannot switch between automatic field numbering and manual field specification");
    numbered_ = numbered_ || number;
    if (name.empty())
      ++next_;
    else if (number)
      index = static_cast<size_t>(
          std::from_chars(name.data(), name.data() + name.size(), index).ec == std::errc() ? index : SIZE_MAX);
    else if (const Value* v = arguments_.keyword(name))
      return *v;
    else
      throw Fault(repr_of(name));
    if (index >= arguments_.positional.size())
      throw Fault("Replacement index " + std::to_string(index) + " out of range for positional args tuple");
    return arguments_.positional[index];
  }

  Evaluator& e_;
  bool markup_;
  const Arguments& arguments_;
  size_t next_ = 0;
  bool numbered_ = false;  // fields have numbers of their own
};

/// %[(key)][flags][width][.precision]type
class Percent {
 public:
  Percent(Runtime& runtime, const Value& format, const Value& values)
      : runtime_(runtime), format_(format), values_(values) {}

  Text expand() {
    const Text& format = format_.text();
    const std::string_view text = format.view();
    Text out;
    for (size_t at = 0; at < text.size();) {
      const size_t percent = std::min(text.find('%', at), text.size());
      out.append(format, at, percent);
      if (percent == text.size()) break;
      at = percent + 1;
      if (at < text.size() && text[at] == '%') {
        out.append(format, at, at + 1);
        ++at;
        continue;
      }
      out.append(field(text, at));
      runtime_.spend(1);
      runtime_.check_size(out.size());
    }
    const bool takes_all = values_.is(Kind::dict) || keyed_;
    const size_t given = values_.is(Kind::tuple) ? values_.items().size() : 1;
    if (!takes_all && used_ < given) throw Fault("not all arguments converted during string formatting");
    return out;
  }

 private:
  Value next() {
    if (!values_.is(Kind::tuple) && used_++ == 0) return values_;
    if (!values_.is(Kind::tuple) || used_ >= values_.items().size())
      throw Fault("not enough arguments for format string");
    return values_.items()[used_++];
  }

  Text field(std::string_view text, size_t& at) {
    Specification s;
    std::optional<Value> value;
    if (at < text.size() && text[at] == '(') {
      const size_t end = text.find(')', at);
      if (end == std::string_view::npos) throw Fault("incomplete format key");
      if (!values_.is(Kind::dict)) throw Fault("format requires a mapping");
      const std::string_view key = text.substr(at + 1, end - at - 1);
      const Value* found = values_.as<Dict>().find(key);
      if (found == nullptr) throw Fault(repr_of(key));
      value = *found;
      keyed_ = true;
      at = end + 1;
    }
    for (; at < text.size() && std::string_view("#0- +").find(text[at]) != std::string_view::npos; ++at) {
      if (text[at] == '#') s.alternate = true;
      if (text[at] == '0') s.zero = true;
      if (text[at] == '-') s.align = '<';
      if (text[at] == '+' || (text[at] == ' ' && s.sign == '-')) s.sign = text[at];
    }
    s.width = read_number(text, at);
    if (at < text.size() && text[at] == '.') s.precision = read_number(text, ++at);
    if (at >= text.size()) throw Fault("incomplete format");
    const char type = text[at++];
    runtime_.spend(static_cast<uint64_t>(s.width));
    return convert(value ? *value : next(), type, s);
  }

  Text convert(const Value& v, char type, Specification s) {
    if (type == 's' || type == 'r' || type == 'a') {
      Text text = type == 's' ? str(runtime_, v) : Text(repr(runtime_, v), Origin::data);
      if (format_.is_markup() && !v.is_markup()) text = escape(text);
      if (s.precision >= 0) {
        size_t end = 0;
        for (int64_t i = 0; i < s.precision && end < text.size(); ++i) end += utf8::length(text.view()[end]);
        text = text.slice(0, end);
      }
      return aligned(std::move(text), s, '>');
    }
    if (v.is_undefined()) fail_undefined(v);
    if (type == 'c' && v.is_string() && utf8::count(v.view()) == 1) return aligned(v.text(), s, '>');
    if (std::string_view("diuoxXeEfFgG").find(type) == std::string_view::npos)
      throw Fault(std::string("unsupported format character '") + type + "'");
    if (!v.is_number())
      throw Fault(std::string("%") + type + " format: a real number is required, not " + std::string(type_name(v)));
    s.type = type;
    if (s.align == '<') s.zero = false;
    const bool whole = std::string_view("diu").find(type) != std::string_view::npos;
    if (whole) s.type = 'd';
    if (whole && v.is(Kind::real)) {
      if (!(std::fabs(v.as_real()) < 1e37)) throw Fault("cannot convert float to integer");
      return format_number(Value::integer(static_cast<Integer>(v.as_real())), s);
    }
    if (v.is(Kind::real) && !whole && std::string_view("oxX").find(type) != std::string_view::npos)
      throw Fault(std::string("%") + type + " format: an integer is required, not float");
    return format_number(v, s);
  }

  Runtime& runtime_;
  const Value& format_;
  const Value& values_;
  size_t used_ = 0;
  bool keyed_ = false;
};

}  // namespace

Text format_braces(Evaluator& evaluator, const Value& format, const Arguments& arguments) {
  return Braces(evaluator, format, arguments).expand(format.text(), 0);
}

Text format_percent(Runtime& runtime, const Value& format, const Value& values) {
  return Percent(runtime, format, values).expand();
}

}  // namespace braid::jinja
