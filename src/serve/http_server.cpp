#include "serve/http_server.h"

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <set>
#include <thread>

#include "core/error.h"
#include "serve/http_head.h"

namespace braid::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Parser = http::request_parser<http::string_body>;

/// Errors as values: what a peer does is no exception.
auto noting(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

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

/// A request that is refused before any handler sees it.
struct Refusal {
  int status = 0;  ///< 0: nothing is said
  std::string what = {};
};
Refusal refusal_of(int status, std::string what) { return {.status = status, .what = std::move(what)}; }

}  // namespace

class Connection;

struct HttpServer::State {
  HttpOptions options;
  HttpHandler handler;
  std::function<HttpResponse(int, std::string_view)> refusal;
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  asio::steady_timer retry{io}, cut{io};
  asio::thread_pool workers;
  std::set<Connection*> open = {};  // of the thread of input and output
  bool draining = false;            // of the thread of input and output
  std::atomic<uint64_t> connections = 0, accepted = 0, refused = 0, bad = 0;
  std::atomic<uint64_t> requests = 0;
  uint16_t port = 0;
  std::thread thread = {};

  State(HttpOptions o, HttpHandler h, std::function<HttpResponse(int, std::string_view)> r)
      : options(std::move(o)),
        handler(std::move(h)),
        refusal(std::move(r)),
        workers(static_cast<size_t>(options.workers)) {}
  void listen();
  asio::awaitable<void> accept();
};

/// One peer: requests one after another. All of it runs on the thread of input and output; wake() on any.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(HttpServer::State& server, tcp::socket socket)
      : server_(server), socket_(std::move(socket)), signal_(server.io), deadline_(server.io) {
    server_.open.insert(this);
    ++server_.connections;
  }
  ~Connection() {
    server_.open.erase(this);
    --server_.connections;
    if (server_.draining && server_.open.empty()) server_.cut.cancel();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  asio::awaitable<void> serve() {
    while (!closing_ && !server_.draining) {
      Parser parser;
      const Refusal refused = co_await read(parser);
      if (refused.status == 0 && !parser.is_done()) break;
      if (refused.status != 0) {
        ++server_.bad;
        co_await refuse(refused);
        break;
      }
      co_await answer(parser);
    }
    disarm();
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
  }
  /// Nothing new is taken; an idle connection ends.
  void drain() {
    if (idle_) give_up();
  }
  void cut() {
    if (reply_) reply_->vanish();
    give_up();
  }

 private:
  asio::awaitable<Refusal> read(Parser& parser);
  asio::awaitable<Refusal> read_head(Parser& parser);
  asio::awaitable<Refusal> read_body(Parser& parser);
  asio::awaitable<void> answer(Parser& parser);
  asio::awaitable<void> send(Reply& reply, bool keep_alive, bool chunked);
  asio::awaitable<bool> write(std::string bytes);
  asio::awaitable<void> refuse(Refusal refused);
  asio::awaitable<void> watch(std::shared_ptr<Reply> reply);
  void give_up();
  void arm(std::chrono::milliseconds most);
  void disarm();

  HttpServer::State& server_;
  tcp::socket socket_;
  asio::steady_timer signal_;    // cancelled when a reply has something new
  asio::steady_timer deadline_;  // of what is read or written now
  uint64_t armed_ = 0;           // which deadline it is: one that has passed may still be on its way
  bool timed_out_ = false;
  beast::flat_buffer buffer_;
  std::shared_ptr<Reply> reply_;
  bool idle_ = false, closing_ = false;
};

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

asio::awaitable<Refusal> Connection::read(Parser& parser) {
  Refusal refused = co_await read_head(parser);
  if (refused.status == 0 && parser.is_header_done()) refused = co_await read_body(parser);
  co_return refused;
}

asio::awaitable<Refusal> Connection::read_head(Parser& parser) {
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

asio::awaitable<Refusal> Connection::read_body(Parser& parser) {
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
  const bool sent = co_await write(head_of(response, false, content_length(response.body.size())) + response.body);
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

asio::awaitable<void> Connection::answer(Parser& parser) {
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

// ---- the server

void HttpServer::State::listen() {
  const auto fail = [&](const error_code& error) {
    if (error)
      throw Error("cannot listen on " + options.host + ":" + std::to_string(options.port) + ": " + error.message(),
                  {.file = {}, .field = options.port == 0 ? "host" : "port", .offset = {}},
                  "take another --port or --host");
  };
  error_code error;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(options.host, std::to_string(options.port), tcp::resolver::passive, error);
  fail(error);
  const tcp::endpoint address = found.begin()->endpoint();
  acceptor.open(address.protocol(), error);
  fail(error);
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  acceptor.bind(address, error);
  fail(error);
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  fail(error);
  port = acceptor.local_endpoint().port();
}

asio::awaitable<void> HttpServer::State::accept() {
  while (acceptor.is_open()) {
    error_code error;
    tcp::socket socket = co_await acceptor.async_accept(noting(error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {  // no descriptor is free: one may be soon
      retry.expires_after(std::chrono::milliseconds(50));
      co_await retry.async_wait(noting(error));
      continue;
    }
    ++accepted;
    socket.set_option(tcp::no_delay(true), error);
    socket.set_option(tcp::socket::send_buffer_size(128 << 10), error);  // what a stalled reader holds here is bounded
    if (connections >= options.connections) {
      ++refused;
      const HttpResponse full = refusal(503, "too many connections");
      socket.non_blocking(true, error);
      socket.write_some(asio::buffer(head_of(full, false, content_length(full.body.size())) + full.body), error);
      continue;
    }
    const auto connection = std::make_shared<Connection>(*this, std::move(socket));
    asio::co_spawn(
        io, [connection]() -> asio::awaitable<void> { return connection->serve(); }, asio::detached);
  }
}

HttpServer::HttpServer(HttpOptions options, HttpHandler handler,
                       std::function<HttpResponse(int, std::string_view)> refusal)
    : state_(std::make_unique<State>(std::move(options), std::move(handler), std::move(refusal))) {
  state_->listen();
  asio::co_spawn(state_->io, state_->accept(), asio::detached);
  state_->thread = std::thread([this] { state_->io.run(); });
}

HttpServer::~HttpServer() { drain(std::chrono::milliseconds(0)); }

uint16_t HttpServer::port() const { return state_->port; }

HttpServer::Counts HttpServer::counts() const {
  return {
      .connections = state_->connections, .accepted = state_->accepted, .refused = state_->refused, .bad = state_->bad};
}

void HttpServer::drain(std::chrono::milliseconds most) {
  if (!state_->thread.joinable()) return;
  asio::post(state_->io, [this, most] {
    State& s = *state_;
    s.draining = true;
    s.acceptor.close();
    s.retry.cancel();
    const std::set<Connection*> open = s.open;
    for (Connection* connection : open) connection->drain();
    if (s.open.empty()) return;
    s.cut.expires_after(most);
    s.cut.async_wait([&s](const error_code& error) {
      if (error) return;
      const std::set<Connection*> left = s.open;
      for (Connection* connection : left) connection->cut();
    });
  });
  state_->thread.join();  // nothing is left to do
  state_->workers.join();
}

}  // namespace braid::serve
