#pragma once
// json.dumps, as Python writes it, and JSON documents as values.

#include <string>

#include "core/json.h"
#include "text/template/runtime.h"

namespace braid::jinja {

struct DumpOptions {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent = std::nullopt;  ///< one level of it; nothing: all on one line
  std::string item_separator = ", ", key_separator = ": ";
};

/// Throws Fault for what JSON does not know (undefined values, generators, namespaces).
std::string dump(Runtime& runtime, const Value& v, const DumpOptions& options);

/// Strings in it come from `origin`.
Value value_of(Runtime& runtime, const Json& json, Origin origin = Origin::data);

}  // namespace braid::jinja
