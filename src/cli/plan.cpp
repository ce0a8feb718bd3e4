#include <cstdio>

#include "cli/load.h"

namespace braid::cli {
namespace {

std::string row(const char* what, uint64_t bytes) {
  char line[96];
  std::snprintf(line, sizeof line, "%-8s %15llu bytes  %10.1f MB\n", what, static_cast<unsigned long long>(bytes),
                static_cast<double>(bytes) / 1e6);
  return line;
}

}  // namespace

int plan(Session& session) {
  Common common;
  std::string model;
  int64_t batch = 1;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a model of any family");
  flags.integer("--batch", batch, "B: sequences at once (1)", {.least = 1, .most = 1 << 20});
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;

  LoadOptions options = load_options(common, model);
  options.sequences = batch;
  options.step_tokens = std::max(options.step_tokens, batch);
  const LoadedModel loaded = load(session, common, options);
  const MemoryPlan memory = loaded.program->plan();
  if (common.json) {
    JsonWriter json;
    json.begin_object().member("weights_bytes", memory.weights_bytes).member("state_bytes", memory.state_bytes);
    json.member("arena_bytes", memory.arena_bytes).member("total_bytes", memory.total_bytes());
    json.member("context", loaded.program->options().context).member("batch", batch);
    session.console.print(json.member("compute", compute(*loaded.program)).end_object().text() + "\n");
  } else {
    session.console.print(row("weights", memory.weights_bytes) + row("states", memory.state_bytes) +
                          row("arenas", memory.arena_bytes) + row("total", memory.total_bytes()));
  }
  return 0;
}

}  // namespace braid::cli
