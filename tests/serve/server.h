#pragma once
// The built program serving, and a client that says exactly the bytes it is told to. Neither knows the server's code.

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"

namespace braid::test {

struct HttpAnswer {
  int status = 0;  ///< 0: the connection was closed without an answer
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};  ///< of a chunked answer: the content
  bool complete = false;  ///< as long as it says, or to its last chunk

  std::string header(std::string_view name) const;
  JsonDocument json() const { return JsonDocument::parse(body, "answer"); }
  /// The data of each server-sent event.
  std::vector<std::string> events() const;
};

/// A connection. Reads wait until what they want is there or the peer has closed.
class Client {
 public:
  explicit Client(int port);
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);
  /// No more bytes follow; answers are still read.
  void end_sending();
  void close();
  HttpAnswer answer();
  /// Waits for so much text of an answer.
  void wait_for(std::string_view text);
  /// Nothing but the end of the connection follows.
  bool closed();

 private:
  bool more();
  int socket_ = -1;
  std::string buffer_;
};

class Server {
 public:
  /// `braid serve ARGUMENTS --port 0`; waits until it says its address.
  explicit Server(std::vector<std::string> arguments = {});
  /// Stops it and expects that it ends well.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return port_; }
  pid_t process() const { return process_; }
  /// SIGTERM; the exit status once it has ended.
  void ask_to_stop() const;
  int wait();

  HttpAnswer get(std::string_view path) const;
  HttpAnswer post(std::string_view path, std::string_view json, std::string_view headers = {}) const;
  /// A metric's value; of those with further labels, the first.
  double metric(std::string_view name) const;
  /// Waits until a metric has a value. A server that never gets there keeps the test waiting until its limit ends it.
  void wait_for_metric(std::string_view name, double value) const;

 private:
  pid_t process_ = 0;
  int port_ = 0, out_ = -1;
};

/// A whole request with a JSON body.
std::string request(std::string_view path, std::string_view json, std::string_view headers = {});

}  // namespace braid::test
