#include "serve/http_server.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "core/error.h"
#include "serve/http_state.h"

namespace braid::serve {

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
      socket.non_blocking(true, error);
      socket.write_some(asio::buffer(wire(refusal(503, "too many connections"), false)), error);
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
