#pragma once
// A checkpoint's index out of a table, and configs out of text.

#include <map>
#include <string>
#include <utility>

#include "models/model.h"

namespace braid::test {

inline TensorIndex index_of(const std::map<std::string, Type>& types) {
  TensorIndex index{.file = "tiny.safetensors", .names = {}, .find = {}, .random = {}};
  for (const auto& [name, type] : types) index.names.push_back(name);
  index.find = [types](std::string_view name) -> std::optional<Type> {
    const auto found = types.find(std::string(name));
    return found == types.end() ? std::nullopt : std::optional(found->second);
  };
  return index;
}

inline TensorIndex random_index(Format format) {
  return {.file = "random weights", .names = {}, .find = {}, .random = format};
}

/// An index that has just what `graph` reads.
inline std::map<std::string, Type> parameters_of(const Graph& graph) {
  std::map<std::string, Type> types;
  for (const uint32_t n : graph.parameters())
    types.emplace(graph.node(n).attrs.text("name"), graph.node(n).types.front());
  return types;
}

inline Config config_of(std::string_view text) { return Config::parse(text, "config.json"); }

/// What a function throws; an empty Error when it throws none.
template <class F>
Error error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  }
  return Error("");
}

}  // namespace braid::test
