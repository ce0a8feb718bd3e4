#pragma once
// What a route sees of HTTP: a request, and a reply that takes its pieces from any thread. Nothing here knows the
// protocol's spelling (http_server.cpp does) or a socket.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace braid::serve {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method, path;  ///< "POST", "/v1/completions": without the query
  HttpHeaders headers = {};  ///< names in lower case
  std::string body = {};
  std::string id = {};  ///< of this request alone, as in the header x-request-id

  /// Nothing when the header is absent.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  HttpHeaders headers = {};
};

/// The answer to one request, between those who write it and the connection that sends it. What is not sent is bounded:
/// a writer never waits, a reader that is too slow loses the answer.
class Reply {
 public:
  /// `most_bytes` written and not taken; `wake` is called (on any thread) when there is something to take.
  Reply(size_t most_bytes, std::function<void()> wake) : most_bytes_(most_bytes), wake_(std::move(wake)) {}

  // For who writes. After the end, or when the reader is gone, nothing has an effect.
  /// The whole answer.
  void send(HttpResponse response);
  /// The head of a stream; its body is its first piece.
  void begin(HttpResponse head);
  /// False when the reader is gone, or has just been given up because its buffer is full.
  bool write(std::string_view piece);
  void end();
  bool begun() const;
  bool gone() const;
  /// Called once when the reader goes away before the end; at once when it has.
  void on_gone(std::function<void()> hook);

  // For the connection.
  struct Pieces {
    std::optional<HttpResponse> head;  ///< when it has come; without its body
    bool whole = false;                ///< the head's answer is all there
    std::string bytes;
    bool ended = false, gone = false;
  };
  Pieces take();
  /// The reader went away.
  void vanish();

 private:
  void wake_up() const { wake_(); }
  const size_t most_bytes_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::optional<HttpResponse> head_;
  std::string bytes_;
  std::function<void()> hook_;
  bool begun_ = false, whole_ = false, ended_ = false, gone_ = false;
};

/// Answers a request, at once or later from another thread. What it throws is answered with status 500.
using HttpHandler = std::function<void(HttpRequest request, std::shared_ptr<Reply> reply)>;

}  // namespace braid::serve
