#include "serve/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace braid::test {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; });
  return out;
}

size_t number(std::string_view text, int base) {
  size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

}  // namespace

// ---- an answer

std::string HttpAnswer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return "";
}

std::vector<std::string> HttpAnswer::events() const {
  std::vector<std::string> all;
  for (size_t at = 0; (at = body.find("data: ", at)) != std::string::npos;) {
    const size_t end = body.find("\n\n", at);
    all.push_back(body.substr(at + 6, end - at - 6));
    at = end;
  }
  return all;
}

// ---- a connection

Client::Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;  // refused meanwhile: the answer says so
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void Client::end_sending() { ::shutdown(socket_, SHUT_WR); }

void Client::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

bool Client::more() {
  char chunk[16384];
  const ssize_t n = ::recv(socket_, chunk, sizeof chunk, 0);
  if (n > 0) buffer_.append(chunk, static_cast<size_t>(n));
  return n > 0;
}

void Client::wait_for(std::string_view text) {
  while (buffer_.find(text) == std::string::npos)
    if (!more()) throw std::runtime_error("the answer ended before " + std::string(text));
}

bool Client::closed() {
  while (buffer_.empty() && more()) {
  }
  return buffer_.empty();
}

HttpAnswer Client::answer() {
  HttpAnswer answer;
  size_t head = 0;
  while ((head = buffer_.find("\r\n\r\n")) == std::string::npos)
    if (!more()) return answer;
  answer.status = static_cast<int>(number(std::string_view(buffer_).substr(9, 3), 10));
  for (size_t at = buffer_.find("\r\n"); at < head;) {
    const size_t end = buffer_.find("\r\n", at + 2), colon = buffer_.find(": ", at);
    answer.headers.emplace_back(lower(buffer_.substr(at + 2, colon - at - 2)),
                                buffer_.substr(colon + 2, end - colon - 2));
    at = end;
  }
  buffer_.erase(0, head + 4);
  if (answer.status == 100) return this->answer();
  const auto need = [&](size_t bytes) {
    while (buffer_.size() < bytes)
      if (!more()) return false;
    return true;
  };
  const auto take = [&](size_t bytes) {
    const std::string taken = buffer_.substr(0, bytes);
    buffer_.erase(0, bytes);
    return taken;
  };
  if (answer.header("transfer-encoding") != "chunked") {
    const size_t length = number(answer.header("content-length"), 10);
    answer.complete = need(length);
    answer.body = take(length);
    return answer;
  }
  while (true) {
    size_t line = 0;
    while ((line = buffer_.find("\r\n")) == std::string::npos)
      if (!more()) return answer;
    const size_t size = number(buffer_, 16);
    buffer_.erase(0, line + 2);
    if (!need(size + 2)) return answer;
    answer.body += take(size);
    buffer_.erase(0, 2);
    if (size > 0) continue;
    answer.complete = true;
    return answer;
  }
}

// ---- the server

Server::Server(std::vector<std::string> arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  out_ = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  arguments.insert(arguments.begin(), {BRAID_PROGRAM, "serve"});
  arguments.insert(arguments.end(), {"--port", "0", "--json"});
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  if (::posix_spawn(&process_, BRAID_PROGRAM, &actions, nullptr, words.data(), environ) != 0)
    throw std::runtime_error("the program cannot be started: " BRAID_PROGRAM);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string line;
  for (char c = 0; c != '\n' && ::read(out_, &c, 1) == 1;) line += c;
  const size_t colon = line.find("127.0.0.1:");
  if (colon == std::string::npos) throw std::runtime_error("the server does not say where it is: " + line);
  port_ = static_cast<int>(number(std::string_view(line).substr(colon + 10), 10));
}

void Server::ask_to_stop() const { ::kill(process_, SIGTERM); }

int Server::wait() {
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = 0;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Server::~Server() {
  if (process_ != 0) {
    ask_to_stop();
    EXPECT_EQ(wait(), 0);
  }
  ::close(out_);
}

std::string request(std::string_view path, std::string_view json, std::string_view headers) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
         std::string(headers) + "Content-Length: " + std::to_string(json.size()) + "\r\n\r\n" + std::string(json);
}

HttpAnswer Server::get(std::string_view path) const {
  Client client(port_);
  client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return client.answer();
}

HttpAnswer Server::post(std::string_view path, std::string_view json, std::string_view headers) const {
  Client client(port_);
  client.send(request(path, json, headers));
  return client.answer();
}

double Server::metric(std::string_view name) const {
  const std::string page = get("/metrics").body;
  const size_t at = page.find("\n" + std::string(name) + "{");
  if (at == std::string::npos) throw std::runtime_error("there is no metric " + std::string(name));
  return std::stod(page.substr(page.find("} ", at) + 2));
}

void Server::wait_for_metric(std::string_view name, double value) const {
  while (metric(name) != value) std::this_thread::yield();
}

}  // namespace braid::test
