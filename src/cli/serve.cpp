#include <poll.h>

#include <filesystem>

#include "cli/load.h"
#include "core/error.h"
#include "core/file_map.h"
#include "files/sha256.h"
#include "serve/service.h"

namespace braid::cli {
namespace {

using namespace braid::serve;

struct Arguments {
  Common common;
  HttpOptions http;
  ModelOptions model;
  std::optional<std::string> keys;
  int64_t port = 8000, connections = 256, parallel = 16, waiting = 512, drain = 30;
};

void declare(Flags& flags, Arguments& a) {
  flags.positional("MODEL", a.model.load.model, "a model that writes text, or an embedding model (books-4m)",
                   "books-4m");
  flags.text("--host", a.http.host, "HOST: the address to listen on (127.0.0.1)");
  flags.integer("--port", a.port, "N: its port (8000); 0: any that is free", {.least = 0, .most = 65535});
  flags.text("--served-model-name", a.model.name, "NAME: the model as clients name it (its folder's name)");
  flags.text("--chat-template", a.model.chat_template, "FILE: a .jinja file in place of the model's own template");
  flags.text("--api-keys", a.keys, "FILE: one key a line; who has none of them is refused");
  flags.integer("--parallel", a.parallel, "N: texts that are written at once (16)", {.least = 1, .most = 4096});
  flags.integer("--max-connections", a.connections, "N: connections at once (256)", {.least = 1, .most = 65536});
  flags.integer("--max-waiting", a.waiting, "N: requests that wait at most (512)", {.least = 1, .most = 1 << 20});
  flags.integer("--drain", a.drain, "SECONDS: for requests to end in after SIGTERM or Ctrl-C (30)",
                {.least = 0, .most = 86400});
  add_common_flags(flags, a.common);
}

/// SHA-256 of each line; the keys themselves are not kept.
std::vector<std::string> key_hashes(const std::string& path) {
  std::vector<std::string> hashes;
  const std::string text = read_text_file(path, 1 << 20);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view key = std::string_view(text).substr(begin, end - begin);
    while (!key.empty() && (key.back() == '\r' || key.back() == ' ')) key.remove_suffix(1);
    begin = end + 1;
    if (key.empty() || key.starts_with('#')) continue;
    Sha256 hash;
    hash.update(std::as_bytes(std::span(key)));
    hashes.push_back(hash.finish());
  }
  if (hashes.empty()) throw Error("there is no key", {.file = path, .field = {}, .offset = {}}, "write one a line");
  return hashes;
}

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

void greet(Session& session, const Arguments& a, const std::string& address, ServedModel& served) {
  Console& console = session.console;
  if (a.common.json) {
    console.print(
        JsonWriter().begin_object().member("address", address).member("model", served.name()).end_object().text() +
        "\n");
  } else {
    const bool writes = served.loop().generates();
    console.print("serving " + served.name() + " on " + address + "\n  curl " + address +
                  (writes ? "/v1/completions" : "/v1/embeddings") + " -H 'Content-Type: application/json'" +
                  (a.keys ? " -H 'Authorization: Bearer KEY'" : "") +
                  (writes ? " -d '{\"prompt\": \"It was a bright cold day\", \"max_tokens\": 40}'\n"
                          : " -d '{\"input\": \"A ship came in.\"}'\n"));
  }
  console.flush();
}

}  // namespace

int serve(Session& session) {
  Arguments a;
  Flags flags = session.flags();
  declare(flags, a);
  if (!session.parse(flags)) return 0;
  if (!a.keys && !is_loopback(a.http.host))
    throw UsageError("without API keys everybody who reaches " + a.http.host + " could use this machine",
                     {.file = {}, .field = "--host", .offset = {}}, "give --api-keys FILE, or serve on 127.0.0.1");
  std::vector<std::string> hashes;
  if (a.keys) hashes = key_hashes(*a.keys);
  const std::string model = a.model.load.model;
  a.model.load = load_options(a.common, model);
  a.model.load.sequences = a.parallel;
  a.model.most_waiting = static_cast<size_t>(a.waiting);
  a.http.port = static_cast<uint16_t>(a.port);
  a.http.connections = static_cast<size_t>(a.connections);

  session.interrupt.end_at_once(true);
  ServedModel served(a.model);
  session.interrupt.end_at_once(false);
  for (const std::string& note : served.model().notes) session.console.note(note);
  report(session, a.common, *served.model().program);
  Service service(served, std::move(hashes));
  if (!service.ready()) throw Error("the model does not write a token", {.file = model, .field = {}, .offset = {}});
  HttpServer server(
      a.http,
      [&](HttpRequest request, std::shared_ptr<Reply> reply) { service.handle(std::move(request), std::move(reply)); },
      [&](int status, std::string_view what) { return service.refusal(status, what); });
  service.watch(&server);
  greet(session, a, "http://" + a.http.host + ":" + std::to_string(server.port()), served);

  pollfd asked{.fd = session.interrupt.descriptor(), .events = POLLIN, .revents = 0};
  while (!session.interrupt.requested()) ::poll(&asked, 1, -1);
  session.console.note("finishing what runs; Ctrl-C ends at once");
  server.drain(std::chrono::seconds(a.drain));
  served.stop();  // before the server goes, to which its replies lead
  return 0;
}

}  // namespace braid::cli
