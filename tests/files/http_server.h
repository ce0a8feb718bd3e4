#pragma once
// A small HTTP/1.1 server on 127.0.0.1 for tests: answers one request per connection with what a function says.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace braid::test {

struct ServedRequest {
  std::string method, path;
  std::map<std::string, std::string> headers;  // names in lower case
};

struct ServedResponse {
  int status = 200;
  std::map<std::string, std::string> headers = {};
  std::string body = {};
  std::optional<size_t> cut = {};  // close the connection after so many bytes of the body
};

class HttpServer {
 public:
  using Handler = std::function<ServedResponse(const ServedRequest&)>;

  explicit HttpServer(Handler handler) : handler_(std::move(handler)) {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(socket_, 16) != 0 ||
        getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("the test server cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }

  ~HttpServer() {
    stopping_ = true;
    shutdown(socket_, SHUT_RDWR);  // wakes accept()
    thread_.join();
    close(socket_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<ServedRequest> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stopping_) {
      const int connection = accept(socket_, nullptr, nullptr);
      if (connection < 0) continue;
      if (auto request = receive(connection)) {
        {
          std::lock_guard lock(mutex_);
          requests_.push_back(*request);
        }
        answer(connection, *request, handler_(*request));
      }
      close(connection);
    }
  }

  static std::optional<ServedRequest> receive(int connection) {
    std::string text;
    char buffer[4096];
    while (text.find("\r\n\r\n") == text.npos) {
      const ssize_t got = recv(connection, buffer, sizeof buffer, 0);
      if (got <= 0) return std::nullopt;
      text.append(buffer, static_cast<size_t>(got));
    }
    ServedRequest request;
    size_t line = 0;
    for (size_t end; (end = text.find("\r\n", line)) != line; line = end + 2) {
      const std::string content = text.substr(line, end - line);
      if (line == 0) {
        const size_t first = content.find(' '), second = content.find(' ', first + 1);
        request.method = content.substr(0, first);
        request.path = content.substr(first + 1, second - first - 1);
      } else {
        const size_t colon = content.find(": ");
        std::string name = content.substr(0, colon);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        request.headers[name] = content.substr(colon + 2);
      }
    }
    return request;
  }

  static void answer(int connection, const ServedRequest& request, const ServedResponse& response) {
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + " X\r\nConnection: close\r\n";
    for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
    if (!response.headers.contains("Content-Length"))
      text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
    text += "\r\n";
    if (request.method != "HEAD") text += response.body.substr(0, response.cut.value_or(response.body.npos));
    for (size_t sent = 0; sent < text.size();) {
      const ssize_t done = send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (done <= 0) return;
      sent += static_cast<size_t>(done);
    }
  }

  Handler handler_;
  int socket_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<ServedRequest> requests_;
  std::thread thread_;
};

}  // namespace braid::test
