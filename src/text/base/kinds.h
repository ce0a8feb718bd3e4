#pragma once
// How the parts of a tokenizer.json are read: an object's "type" picks the function that makes it from a table. Each
// family of parts (normalize, split, model, process, decode) has its table in its list.inc, one line for each kind, and
// one file for each kind.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/json.h"

namespace braid::text {

template <class Part>
struct Kind {
  std::string_view type;
  std::unique_ptr<Part> (*make)(const Json& node, const Limits& limits);
};

/// Throws at `node` for a type that the table lacks; `family` is what the error calls it.
template <class Part>
std::unique_ptr<Part> read_kind(const Json& node, const Limits& limits, std::span<const Kind<Part>> kinds,
                                std::string_view family) {
  const Json type = node.at("type");
  for (const Kind<Part>& kind : kinds) {
    if (kind.type == type.as_string()) return kind.make(node, limits);
  }
  std::string known;
  for (const Kind<Part>& kind : kinds) known += (known.empty() ? "" : ", ") + std::string(kind.type);
  type.fail("the " + std::string(family) + " kind \"" + std::string(type.as_string()) + "\" is unknown",
            "known kinds: " + known);
}

/// A member that may be absent or null.
inline std::optional<Json> optional_member(const Json& node, std::string_view key) {
  const std::optional<Json> member = node.find(key);
  return member && !member->is_null() ? member : std::nullopt;
}
inline bool flag(const Json& node, std::string_view key, bool otherwise) {
  const auto member = optional_member(node, key);
  return member ? member->as_bool() : otherwise;
}
inline std::string string_member(const Json& node, std::string_view key, std::string_view otherwise) {
  const auto member = optional_member(node, key);
  return std::string(member ? member->as_string() : otherwise);
}
/// A string of exactly one character.
char32_t character_member(const Json& node, std::string_view key);

}  // namespace braid::text
