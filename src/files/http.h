#pragma once
// HTTP requests to a model hub.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "core/error.h"
#include "core/parallel.h"

namespace braid {

struct HttpRequest {
  std::string url;
  bool head = false;    ///< only the headers
  bool follow = true;   ///< follow redirects; the token never leaves the first host
  std::string token;    ///< bearer token; none when empty
  uint64_t from = 0;    ///< first byte wanted, when `ranged`
  bool ranged = false;  ///< send a Range header
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< of the last response, names in lower case

  /// A header's value; empty when absent.
  std::string header(const std::string& name) const;
};

/// A connection, or the lack of one; what may go away when one tries again.
class NetworkError : public Error {
 public:
  using Error::Error;
};

/// Keeps its connections open between requests. Use from one thread at a time.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Receives the body piece by piece, after the headers; false ends the transfer, which is no error.
  using Sink = FunctionRef<bool(const HttpResponse&, std::span<const std::byte>)>;
  /// Throws NetworkError when no whole response came; any status is a response. What `sink` throws comes out of here.
  HttpResponse send(const HttpRequest& request, Sink sink);
  /// A small body, of at most `max_bytes`.
  std::pair<HttpResponse, std::string> get_text(const HttpRequest& request, uint64_t max_bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Percent-encodes what must not stand in one segment of a URL's path.
std::string url_escape(std::string_view segment);

}  // namespace braid
