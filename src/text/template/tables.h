#pragma once
// The tables of everything callable, one per file.

#include <span>

#include "text/template/callable.h"
#include "text/template/runtime.h"

namespace braid::jinja {

std::span<const Callable> string_methods();
std::span<const Callable> dict_methods();
std::span<const Callable> list_methods();
std::span<const Callable> loop_methods();
std::span<const Callable> cycler_methods();
std::span<const Callable> number_methods();
std::span<const Callable> text_filters();
std::span<const Callable> sequence_filters();
std::span<const Callable> value_filters();
std::span<const Callable> tests();
std::span<const Callable> functions();

/// str.replace, within the limits.
Value replaced(Runtime& runtime, const Value& v, std::string_view from, const Text& to, int64_t most);

}  // namespace braid::jinja
