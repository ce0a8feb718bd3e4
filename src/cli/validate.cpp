#include "tasks/validate.h"

#include <cstdio>

#include "cli/load.h"

namespace braid::cli {

int validate(Session& session) {
  Common common;
  std::string model;
  ValidateOptions options;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a model of any family");
  flags.integer("--prompt-tokens", options.prompt_tokens, "N: tokens of the prompt", {.least = 1, .most = 1 << 20});
  flags.integer("--tokens", options.tokens, "N: tokens decoded greedily after it", {.least = 1, .most = 1 << 20});
  add_common_flags(flags, common, true);
  if (!session.parse(flags)) return 0;

  session.interrupt.end_at_once(true);
  const Validation result = [&] {
    const Waiting waiting(session.console, "validate " + model);
    return braid::validate(load_options(common, model), options);
  }();
  const char* verdict = result.same ? "same" : "different";
  if (common.json) {
    JsonWriter json;
    json.begin_object().member("verdict", verdict).member("max_relative_error", result.max_relative_error);
    json.member("tokens_equal", result.tokens_equal).member("tokens", result.tokens);
    json.member("tolerance", result.tolerance).member("worst_output", result.worst_output);
    json.member("device", result.device).member("compute", result.compute).end_object();
    session.console.print(json.text() + "\n");
  } else {
    char line[256];
    std::snprintf(line, sizeof line, "%s: relative error %.2e (%s; at most %.2e), %lld tokens %s\n", verdict,
                  result.max_relative_error, result.worst_output.c_str(), result.tolerance,
                  static_cast<long long>(result.tokens), result.tokens_equal ? "equal" : "differ");
    session.console.print(line);
  }
  return result.same ? 0 : 1;
}

}  // namespace braid::cli
