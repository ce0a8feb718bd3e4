#include "text/template/json_dump.h"

#include <algorithm>
#include <cmath>

#include "text/template/protocol.h"
#include "text/unicode/utf8.h"

namespace braid::jinja {
namespace {

void append_unit(std::string& to, uint32_t unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  to += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) to += kDigits[(unit >> shift) & 15];
}

void append_string(std::string& to, std::string_view text, bool ensure_ascii) {
  to += '"';
  for (size_t at = 0; at < text.size();) {
    const utf8::Character c = utf8::decode(text, at);
    const std::string_view bytes = text.substr(at, c.bytes);
    at += c.bytes;
    switch (c.code_point) {
      case '"':
        to += "\\\"";
        continue;
      case '\\':
        to += "\\\\";
        continue;
      case '\n':
        to += "\\n";
        continue;
      case '\r':
        to += "\\r";
        continue;
      case '\t':
        to += "\\t";
        continue;
      case '\f':
        to += "\\f";
        continue;
      case '\b':
        to += "\\b";
        continue;
      default:
        break;
    }
    if (c.code_point < 0x20 || (ensure_ascii && c.code_point >= 0x7F && c.code_point < 0x10000)) {
      append_unit(to, c.code_point);
    } else if (ensure_ascii && c.code_point >= 0x10000) {
      append_unit(to, 0xD800 + ((c.code_point - 0x10000) >> 10));
      append_unit(to, 0xDC00 + ((c.code_point - 0x10000) & 0x3FF));
    } else {
      to += bytes;
    }
  }
  to += '"';
}

std::string number_text(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d < 0 ? "-Infinity" : "Infinity";
  return repr_of(d);
}

class Dumper {
 public:
  Dumper(Runtime& runtime, const DumpOptions& options) : runtime_(runtime), options_(options) {}

  void write(const Value& v) {
    const Runtime::Deeper deeper(runtime_);
    runtime_.spend(1);
    runtime_.check_size(out.size());
    switch (v.kind()) {
      case Kind::none:
        out += "null";
        return;
      case Kind::boolean:
        out += v.as_bool() ? "true" : "false";
        return;
      case Kind::integer:
        out += to_decimal(v.as_int());
        return;
      case Kind::real:
        out += number_text(v.as_real());
        return;
      case Kind::string:
        append_string(out, v.view(), options_.ensure_ascii);
        return;
      case Kind::list:
      case Kind::tuple:
        return write_list(v.items());
      case Kind::dict:
        return write_dict(v.as<Dict>());
      default:
        throw Fault("Object of type " + std::string(type_name(v)) + " is not JSON serializable");
    }
  }

  std::string out;

 private:
  void new_line() {
    if (!options_.indent) return;
    out += '\n';
    for (size_t i = 0; i < level_; ++i) out += *options_.indent;
  }

  void write_list(const std::vector<Value>& items) {
    out += '[';
    ++level_;
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out += options_.item_separator;
      new_line();
      write(items[i]);
    }
    --level_;
    if (!items.empty()) new_line();
    out += ']';
  }

  static std::string key_text(const Value& key) {
    switch (key.kind()) {
      case Kind::string:
        return key.text().bytes();
      case Kind::none:
        return "null";
      case Kind::boolean:
        return key.as_bool() ? "true" : "false";
      case Kind::integer:
        return to_decimal(key.as_int());
      case Kind::real:
        return number_text(key.as_real());
      default:
        throw Fault("keys must be str, int, float, bool or None, not " + std::string(type_name(key)));
    }
  }

  void write_dict(const Dict& dict) {
    std::vector<const std::pair<Value, Value>*> entries;
    for (const auto& entry : dict.entries) entries.push_back(&entry);
    if (options_.sort_keys)
      std::stable_sort(entries.begin(), entries.end(),
                       [&](const auto* a, const auto* b) { return compare(runtime_, a->first, b->first) < 0; });
    out += '{';
    ++level_;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) out += options_.item_separator;
      new_line();
      append_string(out, key_text(entries[i]->first), options_.ensure_ascii);
      out += options_.key_separator;
      write(entries[i]->second);
    }
    --level_;
    if (!entries.empty()) new_line();
    out += '}';
  }

  Runtime& runtime_;
  const DumpOptions& options_;
  size_t level_ = 0;
};

}  // namespace

std::string dump(Runtime& runtime, const Value& v, const DumpOptions& options) {
  Dumper dumper(runtime, options);
  dumper.write(v);
  return std::move(dumper.out);
}

Value value_of(Runtime& runtime, const Json& json, Origin origin) {
  switch (json.kind()) {
    case Json::Kind::null:
      return Value::none();
    case Json::Kind::boolean:
      return Value::boolean(json.as_bool());
    case Json::Kind::integer: {
      // Whole numbers up to 2^64: those above 2^63 are no int64.
      const double size = json.as_double();
      return Value::integer(size >= 0x1p63 ? static_cast<Integer>(json.as_uint())
                                           : static_cast<Integer>(json.as_int()));
    }
    case Json::Kind::real:
      return Value::real(json.as_double());
    case Json::Kind::string:
      return runtime.string(std::string(json.as_string()), origin);
    case Json::Kind::array: {
      std::vector<Value> items;
      for (size_t i = 0; i < json.size(); ++i) items.push_back(value_of(runtime, json[i], origin));
      return runtime.list(std::move(items));
    }
    case Json::Kind::object:
      break;
  }
  auto& dict = runtime.make<Dict>();
  for (size_t i = 0; i < json.size(); ++i)
    dict.entries.emplace_back(runtime.string(std::string(json.key(i)), origin), value_of(runtime, json[i], origin));
  return Value::object(Kind::dict, dict);
}

}  // namespace braid::jinja
