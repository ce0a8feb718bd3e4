#include "serve/api_error.h"

#include <new>
#include <string_view>

#include "core/error.h"
#include "core/json.h"
#include "serve/engine_loop.h"
#include "text/template/template.h"

namespace braid::serve {
namespace {

const char* type_of(int status) {
  if (status == 401) return "authentication_error";
  if (status == 404) return "not_found_error";
  if (status == 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/// The engine's names where the API has others.
std::optional<std::string> param_of(const std::string& field) {
  if (field.empty()) return std::nullopt;
  if (field == "sequences" || field == "num_return_sequences") return "n";
  return field;
}

std::string with_advice(const Error& error) {
  return error.advice().empty() ? error.message() : error.message() + ": " + error.advice();
}

}  // namespace

const char* ApiError::type() const { return type_of(status_); }

std::string ApiError::json() const {
  JsonWriter json;
  json.begin_object().key("error").begin_object().member("message", what()).member("type", type());
  json.key("param");
  param_ ? json.value(*param_) : json.null();
  json.key("code");
  code_.empty() ? json.null() : json.value(code_);
  return json.end_object().end_object().text();
}

HttpResponse ApiError::response() const {
  HttpResponse response{.status = status_, .body = json() + "\n"};
  if (status_ == 429 || status_ == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

ApiError api_error(const std::exception& error) {
  if (const auto* known = dynamic_cast<const ApiError*>(&error)) return *known;
  if (const auto* many = dynamic_cast<const Overloaded*>(&error)) return {429, with_advice(*many), {}, "overloaded"};
  if (const auto* usage = dynamic_cast<const UsageError*>(&error))
    return {400, with_advice(*usage), param_of(usage->place().field)};
  if (const auto* refused = dynamic_cast<const jinja::TemplateError*>(&error))
    return {400, refused->message(), "messages", "chat_template"};
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return {503, "there is not enough memory"};
  return {500, error.what()};
}

}  // namespace braid::serve
