#pragma once
// HTTP/1.1: connections, requests in, replies out. One thread does all input and output; a few others answer.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "serve/http.h"

namespace braid::serve {

struct HttpOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8000;            ///< 0: any that is free
  size_t connections = 256;        ///< at once; one more gets the status 503
  size_t head_bytes = 16 << 10;    ///< of a request; a longer head gets 431
  size_t body_bytes = 16 << 20;    ///< a longer one gets 413
  size_t chunks = 16 << 10;        ///< of a chunked body
  size_t reply_bytes = 256 << 10;  ///< of a stream that its reader has not taken
  int workers = 2;                 ///< threads that call the handler
  /// On a monotonic clock: until the next request of a connection; a whole head, a whole body (else 408); until a
  /// reader takes something of what is sent.
  std::chrono::milliseconds idle = std::chrono::seconds(75), head = std::chrono::seconds(10),
                            body = std::chrono::seconds(60), write = std::chrono::seconds(30);
};

/// Must outlive those who still hold replies.
class HttpServer {
 public:
  struct Counts {
    uint64_t connections = 0;                     ///< open now
    uint64_t accepted = 0, refused = 0, bad = 0;  ///< since the start; bad: requests that no handler saw
  };

  /// Listens and serves from now on. Throws Error when the address cannot be had. `refusal` words the body of an answer
  /// that no handler gives: to a request that is none, or too long, or too slow.
  HttpServer(HttpOptions options, HttpHandler handler,
             std::function<HttpResponse(int status, std::string_view what)> refusal);
  /// As drain(0).
  ~HttpServer();

  uint16_t port() const;
  Counts counts() const;
  /// Takes no new connection, closes the idle ones, lets requests that are being answered end, and returns when all
  /// connections are closed, after `most` at the latest: what goes on then is cut off.
  void drain(std::chrono::milliseconds most);

  struct State;  // of http_server.cpp alone

 private:
  std::unique_ptr<State> state_;
};

}  // namespace braid::serve
