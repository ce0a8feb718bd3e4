#pragma once
// Errors as the OpenAI API words them: {"error": {"message", "type", "param", "code"}} with a status.

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>

#include "serve/http.h"

namespace braid::serve {

class ApiError : public std::runtime_error {
 public:
  ApiError(int status, std::string message, std::optional<std::string> param = {}, std::string code = {})
      : std::runtime_error(message), status_(status), param_(std::move(param)), code_(std::move(code)) {}

  int status() const { return status_; }
  const std::optional<std::string>& param() const { return param_; }
  const std::string& code() const { return code_; }
  /// "invalid_request_error" …, as the status says.
  const char* type() const;
  /// The object alone, as a stream carries it.
  std::string json() const;
  HttpResponse response() const;

 private:
  int status_;
  std::optional<std::string> param_;
  std::string code_;
};

/// What a route threw: a request that does not fit is 400 with its parameter, too much at once 429, the rest 500.
ApiError api_error(const std::exception& error);

}  // namespace braid::serve
