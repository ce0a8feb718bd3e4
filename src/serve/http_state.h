#pragma once
// The inside of the server: what its thread of input and output owns. Of http_server.cpp and http_connection.cpp alone.

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <set>
#include <thread>

#include "serve/http_server.h"

namespace braid::serve {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Errors as values: what a peer does is no exception.
inline auto noting(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

/// An answer with its length, as it goes over the wire.
std::string wire(const HttpResponse& response, bool keep_alive);

/// A request that is refused before any handler sees it.
struct Refusal {
  int status = 0;  ///< 0: nothing is said
  std::string what = {};
};

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

  asio::awaitable<void> serve();
  /// Nothing new is taken; an idle connection ends.
  void drain() {
    if (idle_) give_up();
  }
  void cut() {
    if (reply_) reply_->vanish();
    give_up();
  }

 private:
  struct Incoming;  // a request that is being read
  asio::awaitable<Refusal> read(Incoming& incoming);
  asio::awaitable<Refusal> read_head(Incoming& incoming);
  asio::awaitable<Refusal> read_body(Incoming& incoming);
  asio::awaitable<void> answer(Incoming& incoming);
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
  boost::beast::flat_buffer buffer_;
  std::shared_ptr<Reply> reply_;
  bool idle_ = false, closing_ = false;
};

}  // namespace braid::serve
