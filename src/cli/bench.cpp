#include <cstdio>

#include "cli/bench_report.h"
#include "cli/load.h"
#include "core/error.h"
#include "files/atomic_file.h"
#include "tasks/paired.h"

namespace braid::cli {
namespace {

// Exit statuses of --against, behind those that every command has.
constexpr int kStatus[] = {0, 3, 4, 5};  // by Regression

/// What the rules of --no-rule gain, measured in pairs.
int paired(Session& session, const Common& common, const std::string& model, const BenchOptions& options) {
  if (common.rewrite.disabled_rules.empty())
    throw UsageError("nothing to compare", {.file = {}, .field = "--paired", .offset = {}}, "give --no-rule NAME too");
  LoadOptions with = load_options(common, model), without = with;
  with.rewrite.disabled_rules.clear();
  const PairedResult r = bench_paired(options, with, without);
  JsonWriter json;
  json.begin_object().member("model", model).key("rules").begin_array();
  for (const std::string& rule : common.rewrite.disabled_rules) json.value(rule);
  json.end_array();
  std::string text;
  const auto add = [&](const char* what, const PairedRatio& ratio) {
    json.key(what).begin_object().member("gain", ratio.median - 1).member("low", ratio.low - 1);
    json.member("high", ratio.high - 1).end_object();
    char line[120];
    std::snprintf(line, sizeof line, "%-8s %+5.1f %%   (half of the pairs: %+.1f … %+.1f %%)\n", what,
                  100 * (ratio.median - 1), 100 * (ratio.low - 1), 100 * (ratio.high - 1));
    text += line;
  };
  add("prefill", r.prefill);
  add("decode", r.decode);
  json.end_object();
  session.console.print(common.json ? json.text() + "\n" : text);
  return 0;
}

}  // namespace

int bench(Session& session) {
  Common common;
  BenchOptions options;
  std::string model;
  std::optional<std::string> save, against;
  bool in_pairs = false;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a causal language model, or an encoder, which only reads (books-4m)", "books-4m");
  flags.integer("--prompt-tokens", options.prompt_tokens, "N: tokens of the prompt (512)",
                {.least = 1, .most = 1 << 24});
  flags.integer("--tokens", options.tokens, "N: tokens to decode (128)", {.least = 1, .most = 1 << 24});
  flags.integer("--batch", options.batch, "N: sequences at once (1)", {.least = 1, .most = 4096});
  flags.integer("--repeat", options.repeat, "N: medians over so many repeats (5)", {.least = 1, .most = 10000});
  flags.text("--save", save, "FILE: write the result as JSON, for --against");
  flags.text("--against", against,
             "FILE: compare with it; exit 0, or 3 minor (5%), 4 moderate (15%), 5 severe (30%) "
             "regression beyond the repeats' spread");
  flags.on_off("--paired", in_pairs, "measure in pairs what the rules of --no-rule gain; takes twice the memory");
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;

  Progress progress(session.console, "bench");
  options.progress = [&](int64_t done, int64_t total) {
    progress.update(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
    return !session.interrupt.requested();
  };
  if (in_pairs) {
    try {
      return paired(session, common, model, options);
    } catch (const Error&) {
      if (!session.interrupt.requested()) throw;
      return kInterrupted;
    }
  }
  const LoadOptions wanted = bench_options(options, load_options(common, model));
  LoadedModel loaded = load(session, common, wanted);
  BenchResult result;
  try {
    result = braid::bench(loaded, options, wanted);
  } catch (const Error&) {
    if (!session.interrupt.requested()) throw;
    return kInterrupted;
  }
  progress.clear();
  report(session, common, *loaded.program);

  const std::string formats = compute(*loaded.program);
  Regression verdict = Regression::none;
  if (against) verdict = compare(session.console, *against, options, result);
  JsonWriter json;
  write(json.begin_object().member("model", model), options, result, formats);
  if (against) json.member("regression", name(verdict));
  json.end_object();
  if (save) {
    AtomicFile file(*save);
    file.write(json.text() + "\n");
    file.commit();
  }
  session.console.print(common.json ? json.text() + "\n" : text_of(options, result, formats));
  if (against && !common.json) session.console.print("regression " + std::string(name(verdict)) + "\n");
  return kStatus[static_cast<size_t>(verdict)];
}

}  // namespace braid::cli
