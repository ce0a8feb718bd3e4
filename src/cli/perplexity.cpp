#include "tasks/perplexity.h"

#include <algorithm>
#include <cstdio>

#include "cli/load.h"
#include "cli/texts.h"
#include "core/error.h"
#include "text/tokenizer.h"

namespace braid::cli {

int perplexity(Session& session) {
  Common common;
  std::string model, text;
  int64_t max_tokens = INT64_MAX;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a causal language model");
  flags.text("--text", text, "FILE: the text");
  flags.integer("--max-tokens", max_tokens, "N: only the first N tokens of the text", {.least = 2});
  add_common_flags(flags, common, true);
  if (!session.parse(flags)) return 0;
  if (!flags.given("--text")) throw UsageError("--text is needed");

  Progress progress(session.console, "perplexity");
  PerplexityOptions options;
  options.context = common.context.value_or(options.context);
  options.progress = [&](int64_t done, int64_t total) {
    progress.update(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
    return !session.interrupt.requested();
  };
  const LoadedModel loaded = load(session, common, perplexity_options(options, load_options(common, model)));
  std::vector<int32_t> ids = loaded.need_tokenizer().encode(read_whole_text(text), {.add_special = false}).ids;
  ids.resize(static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(ids.size()), max_tokens)));
  const Perplexity result = [&] {
    try {
      return braid::perplexity(*loaded.program, ids, options);
    } catch (const Error&) {
      if (!session.interrupt.requested()) throw;
      return Perplexity();
    }
  }();
  progress.clear();
  if (session.interrupt.requested()) return kInterrupted;
  report(session, common, *loaded.program);

  const double speed = static_cast<double>(result.tokens) / result.seconds;
  if (common.json) {
    JsonWriter json;
    json.begin_object().member("perplexity", result.perplexity).member("nll", result.nll);
    json.member("tokens", result.tokens).member("tokens_per_s", speed).member("context", options.context);
    session.console.print(json.member("compute", compute(*loaded.program)).end_object().text() + "\n");
    return 0;
  }
  char line[128];
  std::snprintf(line, sizeof line, "perplexity %.4f (nll %.6f) over %lld tokens, %.0f tokens/s\n", result.perplexity,
                result.nll, static_cast<long long>(result.tokens), speed);
  session.console.print(line);
  return 0;
}

}  // namespace braid::cli
