#pragma once
// What Python does with values of any kind: truth, length, order, iteration, text. Throws Fault with Python's words.

#include <optional>
#include <string>
#include <vector>

#include "text/template/runtime.h"
#include "text/template/value.h"

namespace braid::jinja {

/// "str", "list", "NoneType" …
std::string_view type_name(const Value& v);

bool truth(const Value& v);
/// Nothing for what has no length.
std::optional<size_t> length_if_any(const Value& v);
size_t length(const Value& v);
bool is_iterable(const Value& v);
/// The elements: characters of a string, keys of a dict; an iterator is used up.
std::vector<Value> elements(Runtime& runtime, const Value& v);

bool equal(Runtime& runtime, const Value& a, const Value& b);
/// Negative, zero, positive. Throws Fault for what has no order; `op` is named there.
int compare(Runtime& runtime, const Value& a, const Value& b, std::string_view op = "<");
bool contains(Runtime& runtime, const Value& container, const Value& item);
/// Equal keys have equal spellings. Throws Fault for lists and dicts.
std::string hash_of(const Value& key);

/// str(v), and repr(v).
void append_str(Runtime& runtime, Text& to, const Value& v);
Text str(Runtime& runtime, const Value& v);
std::string repr(Runtime& runtime, const Value& v);
std::string repr_of(std::string_view text);
std::string repr_of(double number);

/// Throws Fault: Undefined was used.
[[noreturn]] void fail_undefined(const Value& v);
/// The integer that a value is; throws Fault for anything but int and bool.
Integer need_int(const Value& v, std::string_view what);
/// As a size or position; clamped to ±2^62.
int64_t need_index(const Value& v, std::string_view what);
/// The text that a value is; throws Fault for anything but a string.
const Text& need_text(const Value& v, std::string_view what);

/// &, <, >, ' and " as HTML spells them.
Text escape(const Text& text);

}  // namespace braid::jinja
