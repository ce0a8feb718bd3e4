#include "serve/service.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>

#include "core/json.h"
#include "files/sha256.h"

namespace braid::serve {
namespace {

struct Route {
  std::string_view method, path;
  RouteFunction answer;
  bool open = false;  ///< answered without a key: health probes have none
};

constexpr Route kRoutes[] = {
    {"GET", "/v1/models", list_models},
    {"POST", "/v1/completions", complete},
    {"POST", "/v1/chat/completions", complete_chat},
    {"POST", "/v1/messages", write_message},
    {"POST", "/v1/messages/count_tokens", count_message_tokens},
    {"POST", "/v1/embeddings", embed_texts},
    {"POST", "/tokenize", tokenize},
    {"POST", "/detokenize", detokenize},
    {"GET", "/metrics", show_metrics},
    {"GET", "/health/live", say_live, true},
    {"GET", "/health/ready", say_ready, true},
};

std::string methods_of(std::string_view path) {
  std::string methods;
  for (const Route& route : kRoutes)
    if (route.path == path) methods += (methods.empty() ? "" : ", ") + std::string(route.method);
  return methods;
}

const Route& route_of(const HttpRequest& request) {
  for (const Route& route : kRoutes)
    if (route.path == request.path && route.method == request.method) return route;
  const std::string allowed = methods_of(request.path);
  if (allowed.empty()) throw ApiError(404, "there is no " + request.path + " here", {}, "unknown_url");
  throw ApiError(405, request.path + " takes " + allowed, {}, "method_not_allowed");
}

std::string random_nonce() {
  std::random_device device;
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", device(), device());
  return text;
}

bool is_json(std::string_view content_type) {
  std::string kind(content_type.substr(0, content_type.find(';')));
  while (kind.ends_with(' ')) kind.pop_back();
  std::ranges::transform(kind, kind.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return kind == "application/json";
}

/// A page of another site may make a browser talk to this machine under a name of its own; nobody else names a server
/// on loopback otherwise than so.
bool names_loopback(std::string_view host) {
  if (host.starts_with("[::1]")) return true;
  host = host.substr(0, host.find(':'));
  return host == "localhost" || host == "127.0.0.1";
}

/// In a time that does not depend on where they differ.
bool same(std::string_view a, std::string_view b) {
  unsigned char different = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    different = static_cast<unsigned char>(different | (a[i] ^ b[i]));
  return different == 0;
}

}  // namespace

std::string event_of(std::string_view json) { return "data: " + std::string(json) + "\n\n"; }

// ---- a call

Call::Call(Service& s, HttpRequest r, std::shared_ptr<Reply> reply, std::string_view route)
    : service(s),
      request(std::move(r)),
      created(std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                  .count()),
      reply_(std::move(reply)),
      route_(route) {}

std::string Call::id(std::string_view prefix) const { return std::string(prefix) + service.nonce() + "-" + request.id; }

void Call::send(HttpResponse response) {
  service.metrics().request(route_, response.status);
  response.headers.emplace_back("X-Request-Id", id("req-"));
  reply_->send(std::move(response));
}

void Call::fail(const ApiError& error) {
  const std::string words = words_ != nullptr ? words_(error) : error.json();
  if (!begun_) {
    HttpResponse response = error.response();
    response.body = words + "\n";
    send(std::move(response));
    return;
  }
  reply_->write((words_ != nullptr ? "event: error\n" : "") + event_of(words));
  reply_->end();
}

bool Call::stream(std::string_view events) {
  if (!begun_.exchange(true)) {
    service.metrics().request(route_, 200);
    reply_->begin({.content_type = "text/event-stream",
                   .headers = {{"Cache-Control", "no-cache"}, {"X-Request-Id", id("req-")}}});
  }
  return reply_->write(events);
}

// ---- the service

Service::Service(ServedModel& model, std::vector<std::string> key_hashes)
    : model_(model), key_hashes_(std::move(key_hashes)), nonce_(random_nonce()) {}

HttpResponse Service::refusal(int status, std::string_view what) {
  metrics_.request("", status);
  return ApiError(status, std::string(what)).response();
}

/// With keys, whoever has one; without, what a program on this machine sends to its loopback.
void Service::check_access(const HttpRequest& request) const {
  if (key_hashes_.empty()) {
    if (!names_loopback(request.header("host").value_or("localhost")))
      throw ApiError(403, "without API keys this server answers to localhost alone", {}, "host_not_allowed");
    return;
  }
  std::string_view key = request.header("x-api-key").value_or("");
  constexpr std::string_view kBearer = "Bearer ";
  if (const auto given = request.header("authorization"); given && given->starts_with(kBearer))
    key = given->substr(kBearer.size());
  Sha256 hash;
  hash.update(std::as_bytes(std::span(key)));
  const std::string digest = hash.finish();
  bool known = false;
  for (const std::string& each : key_hashes_) known = same(each, digest) || known;  // all of them, always
  if (!known) throw ApiError(401, "a known API key is needed", {}, "invalid_api_key");
}

void Service::handle(HttpRequest request, std::shared_ptr<Reply> reply) {
  std::string_view path;
  RouteFunction answer = nullptr;
  std::optional<ApiError> refused;
  try {
    const auto open = std::ranges::find_if(kRoutes, [&](const Route& r) { return r.open && r.path == request.path; });
    if (open == std::end(kRoutes)) check_access(request);
    const Route& route = route_of(request);
    path = route.path;
    answer = route.answer;
    if (route.method == "POST" && !is_json(request.header("content-type").value_or("")))
      throw ApiError(415, "the body must be JSON: send Content-Type: application/json", {}, "unsupported_media_type");
  } catch (const ApiError& error) {
    refused = error;
  }
  const auto call = std::make_shared<Call>(*this, std::move(request), std::move(reply), path);
  try {
    if (refused) {
      HttpResponse response = refused->response();
      if (refused->status() == 405) response.headers.emplace_back("Allow", methods_of(call->request.path));
      call->send(std::move(response));
      return;
    }
    answer(call);
  } catch (const std::exception& error) {
    call->fail(api_error(error));
  }
}

void Service::check_model(Fields& fields) const {
  const std::optional<std::string> wanted = fields.text("model");
  if (wanted && *wanted != model_.name())
    throw ApiError(404, "the model " + *wanted + " is not served here; there is " + model_.name(), "model",
                   "model_not_found");
}

bool Service::ready() {
  const std::unique_lock lock(proving_, std::try_to_lock);
  if (!lock) return ready_;  // another prober is at it
  if (ready_ && Call::Clock::now() - proven_ < std::chrono::seconds(1)) return true;
  const uint64_t tokens = model_.loop().tokens();
  // Where all sequences are taken, what they write is proof enough.
  ready_ = model_.answers(std::chrono::milliseconds(1500)) || model_.loop().tokens() != tokens;
  proven_ = Call::Clock::now();
  return ready_;
}

}  // namespace braid::serve
