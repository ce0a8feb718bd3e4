// Connections in this process, with deadlines of milliseconds and small buffers: who is too slow loses, and only he.

#include "serve/http_server.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "core/error.h"
#include "serve/server.h"

namespace braid::serve::test {
namespace {

using braid::test::Client;

HttpResponse refusal(int status, std::string_view what) {
  return {.status = status, .body = std::string(what), .content_type = "text/plain"};
}

/// Answers with what the path says.
void answer_path(const HttpRequest& request, const std::shared_ptr<Reply>& reply) {
  reply->send({.body = request.method + " " + request.path + " " + request.body, .content_type = "text/plain"});
}

HttpOptions quick() {
  HttpOptions options;
  options.port = 0;
  return options;
}

std::string get(std::string_view path) { return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

TEST(HttpServer, AnswersWithoutTheQueryAndKeepsTheConnection) {
  HttpServer server(quick(), answer_path, refusal);
  Client client(server.port());
  client.send(get("/a?b=c") + get("/d"));
  EXPECT_EQ(client.answer().body, "GET /a ");
  EXPECT_EQ(client.answer().body, "GET /d ");
  EXPECT_EQ(server.counts().connections, 1u);
}

// 46
TEST(HttpServer, AHeadOrABodyThatComesTooSlowlyIsTold) {
  HttpOptions options = quick();
  options.head = options.body = std::chrono::milliseconds(20);
  HttpServer server(options, answer_path, refusal);
  Client head(server.port()), body(server.port());
  head.send("GET / HT");
  EXPECT_EQ(head.answer().status, 408);
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(body.answer().status, 408);
}

TEST(HttpServer, AnIdleConnectionIsClosedWithoutAWord) {
  HttpOptions options = quick();
  options.idle = std::chrono::milliseconds(20);
  HttpServer server(options, answer_path, refusal);
  Client client(server.port());
  client.send(get("/"));
  EXPECT_EQ(client.answer().status, 200);
  EXPECT_TRUE(client.closed());
}

// 49
TEST(HttpServer, AReaderThatStallsIsGivenUpWhenItsBufferIsFull) {
  HttpOptions options = quick();
  options.reply_bytes = 64 << 10;
  std::promise<void> gone;
  std::promise<bool> refused;
  HttpServer server(
      options,
      [&](HttpRequest, const std::shared_ptr<Reply>& reply) {
        reply->on_gone([&] { gone.set_value(); });
        reply->begin({});
        const std::string piece(16 << 10, 'x');
        while (reply->write(piece)) std::this_thread::yield();
        refused.set_value(!reply->write("more"));
      },
      refusal);
  Client client(server.port());
  client.send(get("/"));
  gone.get_future().get();
  EXPECT_TRUE(refused.get_future().get());
  EXPECT_FALSE(client.answer().complete);
}

TEST(HttpServer, AReaderThatGoesAwayIsSeenWhileNothingIsWritten) {
  std::promise<void> gone;
  std::promise<std::shared_ptr<Reply>> taken;
  HttpServer server(
      quick(),
      [&](HttpRequest, std::shared_ptr<Reply> reply) {
        reply->on_gone([&] { gone.set_value(); });
        taken.set_value(std::move(reply));
      },
      refusal);
  Client client(server.port());
  client.send(get("/"));
  const std::shared_ptr<Reply> reply = taken.get_future().get();
  client.close();
  gone.get_future().get();
  EXPECT_FALSE(reply->write("too late"));
}

TEST(HttpServer, WhatAHandlerThrowsIsAnAnswer) {
  HttpServer server(
      quick(), [](HttpRequest, std::shared_ptr<Reply>) { throw Error("it broke"); }, refusal);
  Client client(server.port());
  client.send(get("/") + get("/"));
  EXPECT_EQ(client.answer().status, 500);
  EXPECT_EQ(client.answer().status, 500);
}

TEST(HttpServer, APortThatIsTakenIsAnError) {
  HttpServer server(quick(), answer_path, refusal);
  HttpOptions same = quick();
  same.port = server.port();
  EXPECT_THROW(HttpServer(same, answer_path, refusal), Error);
}

TEST(HttpReply, SaysOnceThatItsReaderIsGone) {
  int hooks = 0, wakes = 0;
  Reply reply(8, [&] { ++wakes; });
  reply.on_gone([&] { ++hooks; });
  reply.begin({});
  EXPECT_TRUE(reply.write("1234"));
  EXPECT_EQ(reply.take().bytes, "1234");
  EXPECT_TRUE(reply.write("12345678"));
  EXPECT_FALSE(reply.write("9"));  // full
  EXPECT_EQ(hooks, 1);
  EXPECT_TRUE(reply.take().gone);
  reply.vanish();
  reply.end();
  EXPECT_EQ(hooks, 1);
  reply.on_gone([&] { ++hooks; });  // it has gone
  EXPECT_EQ(hooks, 2);
  EXPECT_GE(wakes, 4);
}

TEST(HttpReply, KeepsNoHookWhenItHasEnded) {
  int hooks = 0;
  Reply reply(64, [] {});
  reply.on_gone([&] { ++hooks; });
  reply.send({.body = "all"});
  reply.vanish();
  EXPECT_EQ(hooks, 0);
  const Reply::Pieces pieces = reply.take();
  EXPECT_TRUE(pieces.whole && pieces.ended && !pieces.gone);
  EXPECT_EQ(pieces.bytes, "all");
}

}  // namespace
}  // namespace braid::serve::test
