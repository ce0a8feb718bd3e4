#pragma once
// Small templates in tests.

#include <optional>
#include <string>

#include "text/chat.h"

namespace braid::test {

inline std::tm fixed_time() {
  std::tm parts{};
  parts.tm_year = 126, parts.tm_mon = 6, parts.tm_mday = 26, parts.tm_hour = 9, parts.tm_min = 5, parts.tm_sec = 3;
  parts.tm_wday = 0, parts.tm_yday = 206;
  return parts;
}

/// What a template makes of these messages and variables (both JSON).
inline jinja::Text render(std::string_view source, std::string_view variables = "{}",
                          std::string_view messages = R"([{"role": "user", "content": "Hi"}])",
                          const TemplateLimits& limits = {}) {
  const ChatTemplate chat = ChatTemplate::parse(source, "small.jinja", {{"bos_token", "<s>"}}, limits);
  const JsonDocument list = JsonDocument::parse(messages, "messages"), values = JsonDocument::parse(variables, "set");
  RenderOptions options{.now = fixed_time()};
  for (size_t i = 0; i < values.root().size(); ++i)
    options.variables.emplace_back(values.root().key(i), values.root()[i]);
  return chat.render(list.root(), options).text;
}

/// The error that a template gives, when loaded or when rendered.
inline std::optional<jinja::TemplateError> error_of(std::string_view source, std::string_view variables = "{}",
                                                    const TemplateLimits& limits = {}) {
  try {
    render(source, variables, R"([{"role": "user", "content": "Hi"}])", limits);
  } catch (const jinja::TemplateError& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace braid::test
