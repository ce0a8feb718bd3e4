#include "serve/fields.h"

#include <cmath>
#include <cstdio>

#include "core/error.h"
#include "text/chat.h"

namespace braid::serve {
namespace {

JsonDocument parse(std::string_view body) {
  try {
    return JsonDocument::parse(body, "body");
  } catch (const Error& error) {
    std::string where;
    if (error.place().offset) where = " at byte " + std::to_string(*error.place().offset);
    throw ApiError(400, "the body is not JSON: " + error.message() + where, {}, "invalid_json");
  }
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

/// Integers, and reals without a fraction, as clients in JavaScript write them.
std::optional<int64_t> whole(Json value) {
  if (!value.is_number()) return std::nullopt;
  try {
    return value.as_int();
  } catch (const Error&) {  // a fraction, or beyond 64 bits
    return std::nullopt;
  }
}

}  // namespace

void reject(std::string_view param, std::string what, std::string code) {
  throw ApiError(400, std::string(param) + " " + what, std::string(param), std::move(code));
}

Fields::Fields(std::string_view body) : document_(parse(body)) {
  if (!document_.root().is_object()) throw ApiError(400, "the body must be a JSON object", {}, "invalid_json");
}

std::optional<Json> Fields::any(std::string_view name) {
  known_.emplace(name);
  std::optional<Json> found = document_.root().find(name);
  if (found && found->is_null()) found = std::nullopt;
  return found;
}

std::optional<int64_t> Fields::integer(std::string_view name, int64_t least, int64_t most) {
  const std::optional<Json> found = any(name);
  if (!found) return std::nullopt;
  const std::optional<int64_t> value = whole(*found);
  if (!value) reject(name, "must be an integer");
  if (*value < least || *value > most)
    reject(name, "must be between " + std::to_string(least) + " and " + std::to_string(most) + ", not " +
                     std::to_string(*value));
  return value;
}

std::optional<double> Fields::real(std::string_view name, double least, double most) {
  const std::optional<Json> found = any(name);
  if (!found) return std::nullopt;
  if (!found->is_number()) reject(name, "must be a number");
  const double value = found->as_double();
  if (!(value >= least && value <= most))
    reject(name, "must be between " + number(least) + " and " + number(most) + ", not " + number(value));
  return value;
}

std::optional<bool> Fields::flag(std::string_view name) {
  const std::optional<Json> found = any(name);
  if (!found) return std::nullopt;
  if (found->kind() != Json::Kind::boolean) reject(name, "must be true or false");
  return found->as_bool();
}

std::optional<std::string> Fields::text(std::string_view name) {
  const std::optional<Json> found = any(name);
  if (!found) return std::nullopt;
  if (!found->is_string()) reject(name, "must be a string");
  return std::string(found->as_string());
}

std::vector<std::string> Fields::texts(std::string_view name, size_t most) {
  std::vector<std::string> out;
  const std::optional<Json> found = any(name);
  if (!found) return out;
  const auto add = [&](Json text) {
    if (!text.is_string()) reject(name, "must be a string or a list of strings");
    if (text.as_string().empty()) reject(name, "must not be an empty string");
    out.emplace_back(text.as_string());
  };
  if (!found->is_array()) {
    add(*found);
    return out;
  }
  if (found->size() > most) reject(name, "has more than " + std::to_string(most) + " strings");
  for (size_t i = 0; i < found->size(); ++i) add((*found)[i]);
  return out;
}

std::vector<int32_t> Fields::ids(std::string_view name, int64_t vocabulary, size_t most) {
  const std::optional<Json> found = any(name);
  if (!found) return {};
  if (!found->is_array()) reject(name, "must be a list of token ids");
  if (found->size() > most) reject(name, "has more than " + std::to_string(most) + " tokens");
  return ids_of(*found, name, vocabulary);
}

std::vector<int32_t> ids_of(Json list, std::string_view param, int64_t vocabulary) {
  std::vector<int32_t> out;
  out.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const std::optional<int64_t> id = whole(list[i]);
    if (!id || *id < 0 || *id >= vocabulary)
      reject(param, "holds at place " + std::to_string(i) + " what is no token id: they are integers from 0 to " +
                        std::to_string(vocabulary - 1));
    out.push_back(static_cast<int32_t>(*id));
  }
  return out;
}

void Fields::refuse(std::string_view name, std::string_view why, std::string_view neutral) {
  const std::optional<Json> found = any(name);
  if (!found) return;
  const bool empty = (found->is_string() && found->as_string().empty()) ||
                     ((found->is_array() || found->is_object()) && found->size() == 0) ||
                     (found->kind() == Json::Kind::boolean && !found->as_bool());
  if (empty || (!neutral.empty() && to_json(*found) == neutral)) return;
  reject(name, "is not supported: " + std::string(why), "unsupported_parameter");
}

void Fields::finish() const {
  const Json root = document_.root();
  for (size_t i = 0; i < root.size(); ++i)
    if (!known_.contains(root.key(i))) {
      const std::string name(root.key(i));
      throw ApiError(400, "unknown parameter " + name, name, "unknown_parameter");
    }
}

}  // namespace braid::serve
