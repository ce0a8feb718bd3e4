#pragma once
// The API: which function answers which route, and what all of them share. A route is one function and one line in
// service.cpp.

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api_error.h"
#include "serve/fields.h"
#include "serve/http.h"
#include "serve/http_server.h"
#include "serve/metrics.h"
#include "serve/served_model.h"

namespace braid::serve {

class Service;

/// One request on its way: everything that answers it, counted once.
class Call {
 public:
  using Clock = std::chrono::steady_clock;
  Call(Service& service, HttpRequest request, std::shared_ptr<Reply> reply, std::string_view route);

  Service& service;
  const HttpRequest request;
  const Clock::time_point arrived = Clock::now();
  const int64_t created;  ///< seconds since 1970, as answers say it

  void send(HttpResponse response);
  void send_json(std::string body) { send({.body = std::move(body) + "\n"}); }
  /// An error: as the whole answer, or as the last event of a stream that has begun.
  void fail(const ApiError& error);
  /// How this route words errors; else as OpenAI's do.
  void word_errors(std::string (*words)(const ApiError&)) { words_ = words; }
  /// An event of a stream ("data: JSON"); the first one begins it. False when nobody reads on.
  bool stream(std::string_view events);
  void end() { reply_->end(); }
  Reply& reply() { return *reply_; }
  /// "cmpl-…": an id that no other request has.
  std::string id(std::string_view prefix) const;

 private:
  const std::shared_ptr<Reply> reply_;
  const std::string_view route_;
  std::string (*words_)(const ApiError&) = nullptr;
  std::atomic<bool> begun_ = false;
};

class Service {
 public:
  Service(ServedModel& model, std::vector<std::string> key_hashes);

  /// Answers a request or throws nothing: whatever goes wrong becomes an answer.
  void handle(HttpRequest request, std::shared_ptr<Reply> reply);
  /// Of a request that is none.
  HttpResponse refusal(int status, std::string_view what);
  /// Where /metrics reads the counts of connections; while it is set, it must live.
  void watch(const HttpServer* server) { server_ = server; }

  ServedModel& model() { return model_; }
  Metrics& metrics() { return metrics_; }
  const HttpServer* server() const { return server_; }
  /// Throws ApiError(404) when the body names a model that is not served.
  void check_model(Fields& fields) const;
  /// Whether a token can be written, proven within the last second or now.
  bool ready();
  std::string nonce() const { return nonce_; }

 private:
  void check_access(const HttpRequest& request) const;
  ServedModel& model_;
  const std::vector<std::string> key_hashes_;
  const std::string nonce_;  // of this process, for ids
  Metrics metrics_;
  std::atomic<const HttpServer*> server_ = nullptr;
  std::mutex proving_;
  Call::Clock::time_point proven_ = {};  // guarded by proving_
  std::atomic<bool> ready_ = false;
};

/// Server-sent events.
std::string event_of(std::string_view json);

// ---- the routes, one file each
using RouteFunction = void (*)(const std::shared_ptr<Call>& call);
void list_models(const std::shared_ptr<Call>& call);
void complete(const std::shared_ptr<Call>& call);
void complete_chat(const std::shared_ptr<Call>& call);
void write_message(const std::shared_ptr<Call>& call);
void count_message_tokens(const std::shared_ptr<Call>& call);
void embed_texts(const std::shared_ptr<Call>& call);
void tokenize(const std::shared_ptr<Call>& call);
void detokenize(const std::shared_ptr<Call>& call);
void show_metrics(const std::shared_ptr<Call>& call);
void say_live(const std::shared_ptr<Call>& call);
void say_ready(const std::shared_ptr<Call>& call);

}  // namespace braid::serve
