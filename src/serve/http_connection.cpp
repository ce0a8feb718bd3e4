#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "serve/http_head.h"
#include "serve/http_state.h"

namespace braid::serve {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Parser = http::request_parser<http::string_body>;

struct Connection::Incoming {
  Parser parser;
};

namespace {

std::string head_of(const HttpResponse& response, bool keep_alive, std::string_view framing) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason) + "\r\n";
  const auto add = [&](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) add(name, value);
  add("Connection", keep_alive ? "keep-alive" : "close");
  return head.append(framing).append("\r\n");
}

std::string content_length(size_t bytes) { return "Content-Length: " + std::to_string(bytes) + "\r\n"; }

std::string chunk(std::string_view bytes) {
  char size[20];
  const int digits = std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return std::string(size, static_cast<size_t>(digits)).append(bytes).append("\r\n");
}

Refusal refusal_of(int status, std::string what) { return {.status = status, .what = std::move(what)}; }

}  // namespace

std::string wire(const HttpResponse& response, bool keep_alive) {
  return head_of(response, keep_alive, content_length(response.body.size())) + response.body;
}

asio::awaitable<void> Connection::serve() {
  while (!closing_ && !server_.draining) {
    Incoming incoming;
    const Refusal refused = co_await read(incoming);
    if (refused.status == 0 && !incoming.parser.is_done()) break;
    if (refused.status != 0) {
      ++server_.bad;
      co_await refuse(refused);
      break;
    }
    co_await answer(incoming);
  }
  disarm();
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
}
// ---- deadlines

/// Nothing is awaited any more, whatever it is.
void Connection::give_up() {
  closing_ = true;
  error_code ignored;
  socket_.close(ignored);
  signal_.cancel();
}

/// What is read or written from now on ends then, with timed_out_; the socket stays open for an answer that says so.
void Connection::arm(std::chrono::milliseconds most) {
  timed_out_ = false;
  deadline_.expires_after(most);
  deadline_.async_wait([connection = weak_from_this(), round = ++armed_](const error_code& error) {
    const auto alive = connection.lock();
    if (error || !alive || alive->armed_ != round) return;
    alive->timed_out_ = true;
    error_code ignored;
    alive->socket_.cancel(ignored);
  });
}

void Connection::disarm() {
  ++armed_;
  deadline_.cancel();
}

// ---- a request

asio::awaitable<Refusal> Connection::read(Incoming& incoming) {
  Parser& parser = incoming.parser;
  Refusal refused = co_await read_head(incoming);
  if (refused.status == 0 && parser.is_header_done()) refused = co_await read_body(incoming);
  co_return refused;
}

asio::awaitable<Refusal> Connection::read_head(Incoming& incoming) {
  Parser& parser = incoming.parser;
  const HttpOptions& options = server_.options;
  HeadScan scan;
  const auto look = [&] {
    scan = scan_head({static_cast<const char*>(buffer_.data().data()), buffer_.size()});
    return scan.state == HeadScan::State::incomplete;
  };
  for (bool started = buffer_.size() > 0, timed = false; look(); started = true) {
    if (buffer_.size() >= options.head_bytes) co_return refusal_of(431, "the head of the request is too long");
    idle_ = !started;
    if (!started) arm(options.idle);
    if (started && !timed) arm(options.head);
    timed = started;
    error_code error;
    const size_t room = options.head_bytes - buffer_.size();
    const size_t n = co_await socket_.async_read_some(buffer_.prepare(std::min<size_t>(room, 4096)), noting(error));
    if (error && timed_out_ && started) co_return refusal_of(408, "the head of the request came too slowly");
    if (error) co_return Refusal{};
    buffer_.commit(n);
  }
  idle_ = false;
  if (scan.state == HeadScan::State::wrong) co_return refusal_of(400, scan.fault);

  parser.body_limit(options.body_bytes);
  parser.header_limit(static_cast<uint32_t>(options.head_bytes));
  error_code error;
  buffer_.consume(parser.put(asio::buffer(buffer_.data().data(), scan.size), error));
  if (error == http::error::body_limit) co_return refusal_of(413, "the body of the request is too long");
  if (error) co_return refusal_of(400, error.message());
  const auto& head = parser.get();
  if (head.version() != 11 && head.version() != 10) co_return refusal_of(505, "this server speaks HTTP/1.1");
  if (head.count(http::field::host) > 1 || (head.version() == 11 && head.count(http::field::host) == 0))
    co_return refusal_of(400, "a request has one Host header");
  const size_t lengths = head.count(http::field::content_length), codings = head.count(http::field::transfer_encoding);
  if (lengths + codings > 1) co_return refusal_of(400, "the length of the body is said more than once");
  if (codings == 1 && (head.version() == 10 || !is_chunked(std::string_view(head[http::field::transfer_encoding]))))
    co_return refusal_of(400, "the only transfer coding is \"chunked\"");
  if (head.count(http::field::content_encoding) > 0)
    co_return refusal_of(415, "bodies are read as they are: without a Content-Encoding");
  co_return Refusal{};
}

asio::awaitable<Refusal> Connection::read_body(Incoming& incoming) {
  Parser& parser = incoming.parser;
  size_t chunks = 0;
  const size_t most = server_.options.chunks;
  auto count = [&chunks, most](uint64_t, beast::string_view, error_code& error) {
    if (++chunks > most) error = http::error::bad_chunk;
  };
  parser.on_chunk_header(count);
  if (!parser.is_done() && parser.get()[http::field::expect] == "100-continue") {
    const bool sent = co_await write("HTTP/1.1 100 Continue\r\n\r\n");
    if (!sent) co_return Refusal{};
  }
  error_code error;
  arm(server_.options.body);
  if (!parser.is_done()) co_await http::async_read(socket_, buffer_, parser, noting(error));
  if (!error) co_return Refusal{};
  if (timed_out_) co_return refusal_of(408, "the body of the request came too slowly");
  if (error == http::error::body_limit) co_return refusal_of(413, "the body of the request is too long");
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error.category() == asio::error::get_system_category())
    co_return Refusal{};
  co_return refusal_of(400, chunks > most ? "the body comes in too many chunks" : error.message());
}

// ---- its answer

/// Says why, and takes what the peer still sends for a while, so that it can read the answer before the connection
/// ends.
asio::awaitable<void> Connection::refuse(Refusal refused) {
  const HttpResponse response = server_.refusal(refused.status, refused.what);
  const bool sent = co_await write(wire(response, false));
  if (!sent) co_return;
  error_code error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  arm(std::chrono::seconds(1));
  std::array<char, 4096> rest;
  for (int i = 0; i < 256 && !error; ++i) co_await socket_.async_read_some(asio::buffer(rest), noting(error));
}

asio::awaitable<bool> Connection::write(std::string bytes) {
  error_code error;
  arm(server_.options.write);
  co_await asio::async_write(socket_, asio::buffer(bytes), noting(error));
  co_return !error;
}

/// Sees that the peer goes away while an answer is being made. A peer that sends its next request already is watched no
/// more: writing will tell.
asio::awaitable<void> Connection::watch(std::shared_ptr<Reply> reply) {
  const auto self = shared_from_this();
  error_code error;
  co_await socket_.async_wait(tcp::socket::wait_read, noting(error));
  if (error) co_return;  // the answer is complete
  char next = 0;
  if (::recv(socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0) co_return;
  reply->vanish();
  signal_.cancel();
}

asio::awaitable<void> Connection::answer(Incoming& incoming) {
  Parser& parser = incoming.parser;
  auto& message = parser.get();
  const bool keep_alive = parser.keep_alive() && message.method() != http::verb::head,
             chunked = message.version() == 11;
  HttpRequest request{.method = std::string(message.method_string()), .path = std::string(message.target())};
  request.path = request.path.substr(0, request.path.find('?'));
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  request.body = std::move(message.body());
  request.id = std::to_string(++server_.requests);

  const std::weak_ptr<Connection> connection = weak_from_this();
  const auto executor = server_.io.get_executor();
  reply_ = std::make_shared<Reply>(server_.options.reply_bytes, [connection, executor] {
    asio::post(executor, [connection] {
      const auto alive = connection.lock();
      if (!alive) return;
      if (alive->reply_ && alive->reply_->gone()) alive->give_up();
      alive->signal_.cancel();
    });
  });
  asio::co_spawn(executor, watch(reply_), asio::detached);
  asio::post(server_.workers, [&server = server_, request = std::move(request), reply = reply_]() mutable {
    try {
      server.handler(std::move(request), reply);
    } catch (const std::exception& error) {
      reply->send(server.refusal(500, error.what()));
      reply->vanish();  // a stream that had begun is cut off
    }
  });
  co_await send(*reply_, keep_alive, chunked);
  reply_->vanish();  // if it did not come to its end
  reply_ = nullptr;
  error_code ignored;
  if (!closing_) socket_.cancel(ignored);  // the watcher
}

asio::awaitable<void> Connection::send(Reply& reply, bool keep_alive, bool chunked) {
  bool streaming = false;
  while (true) {
    Reply::Pieces pieces = reply.take();
    std::string bytes;
    if (pieces.gone) closing_ = true;
    if (closing_) co_return;
    keep_alive = keep_alive && !server_.draining;
    if (pieces.head && pieces.whole) {
      bytes = head_of(*pieces.head, keep_alive, content_length(pieces.bytes.size())) + pieces.bytes;
    } else {
      if (pieces.head) {
        streaming = true;
        keep_alive = keep_alive && chunked;  // HTTP/1.0 ends a stream by closing
        bytes = head_of(*pieces.head, keep_alive, chunked ? "Transfer-Encoding: chunked\r\n" : "");
      }
      if (!pieces.bytes.empty()) bytes += chunked ? chunk(pieces.bytes) : pieces.bytes;
      if (streaming && pieces.ended && chunked) bytes += "0\r\n\r\n";
    }
    if (!bytes.empty()) {
      const bool sent = co_await write(std::move(bytes));
      if (!sent) closing_ = true;
      if (closing_) co_return;
    }
    if (pieces.ended) {
      closing_ = closing_ || !keep_alive;
      co_return;
    }
    if (!pieces.head && pieces.bytes.empty()) {
      error_code cancelled;
      signal_.expires_at(asio::steady_timer::time_point::max());
      co_await signal_.async_wait(noting(cancelled));
    }
  }
}

}  // namespace braid::serve
