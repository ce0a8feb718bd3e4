// Routes that say how the server is: models, health, metrics.

#include "core/json.h"
#include "serve/service.h"

namespace braid::serve {

void list_models(const std::shared_ptr<Call>& call) {
  const ServedModel& served = call->service.model();
  JsonWriter json;
  json.begin_object().member("object", "list").key("data").begin_array();
  json.begin_object().member("id", served.name()).member("object", "model").member("created", call->created);
  json.member("owned_by", "braid").member("max_model_len", served.context()).end_object();
  call->send_json(json.end_array().end_object().text());
}

void say_live(const std::shared_ptr<Call>& call) { call->send_json("{\"status\":\"live\"}"); }

void say_ready(const std::shared_ptr<Call>& call) {
  if (!call->service.ready()) throw ApiError(503, "the model does not answer", {}, "not_ready");
  call->send_json("{\"status\":\"ready\"}");
}

void show_metrics(const std::shared_ptr<Call>& call) {
  const ServedModel& served = call->service.model();
  const LoopStats loop = served.loop().stats();
  const HttpServer* server = call->service.server();
  const HttpServer::Counts http = server != nullptr ? server->counts() : HttpServer::Counts{};
  const std::string page = call->service.metrics().text(
      served.name(),
      {
          {"braid_requests_running", "Requests that have sequences in the engine.", loop.running},
          {"braid_requests_waiting", "Requests that wait for their first step.", loop.waiting},
          {"braid_pages_used", "Pages of token states that are taken.", loop.pages_used},
          {"braid_pages", "Pages of token states.", loop.pages},
          {"braid_slots_used", "Slots of sequences that are taken.", loop.slots_used},
          {"braid_slots", "Sequences that run at once at most.", loop.slots},
          {"braid_preemptions_total", "Requests that gave their pages back for a while.", loop.preemptions, true},
          {"braid_generation_tokens_total", "Tokens written.", loop.tokens, true},
          {"braid_engine_failures_total", "Times that the engine was made anew.", loop.failures, true},
          {"braid_connections", "Connections that are open.", http.connections},
          {"braid_connections_total", "Connections taken.", http.accepted, true},
          {"braid_connections_refused_total", "Connections turned away: there were too many.", http.refused, true},
          {"braid_bad_requests_total", "Requests that are no HTTP, or too long or slow.", http.bad, true},
      });
  call->send({.body = page, .content_type = "text/plain; version=0.0.4; charset=utf-8"});
}

}  // namespace braid::serve
