#include "tasks/bench.h"

#include <algorithm>
#include <cstdio>

#include "cli/load.h"
#include "core/error.h"
#include "files/atomic_file.h"
#include "tasks/paired.h"

namespace braid::cli {
namespace {

// Exit statuses of --against, behind those that every command has.
constexpr int kStatus[] = {0, 3, 4, 5};  // by Regression

struct Figure {
  const char* key;
  double value;
  double spread;
  bool more_is_better;
};
std::vector<Figure> figures(const BenchResult& r) {
  return {{"prefill_tokens_per_s", r.prefill_tokens_per_s, r.prefill_spread, true},
          {"decode_tokens_per_s", r.decode_tokens_per_s, r.decode_spread, true},
          {"rss_mb", r.rss_mb, 0, false}};
}

void write(JsonWriter& json, const BenchOptions& options, const BenchResult& r, const std::string& compute) {
  json.member("prefill_tokens_per_s", r.prefill_tokens_per_s).member("decode_tokens_per_s", r.decode_tokens_per_s);
  json.member("bytes_per_token", r.bytes_per_token).member("read_gb_per_s", r.limits.read_gb_per_s);
  json.member("bandwidth_fraction", r.bandwidth_fraction).member("peak_fraction", r.peak_fraction);
  json.member("load_ms", r.load_ms).member("rss_mb", r.rss_mb).member("peak_rss_mb", r.peak_rss_mb);
  json.member("operations_per_token", r.operations_per_token).member("peak_instruction", r.peak_instruction);
  json.member("peak_f32_gflops", r.limits.peak_f32_gflops).member("peak_bf16_gflops", r.limits.peak_bf16_gflops);
  json.member("peak_int8_gops", r.limits.peak_int8_gops).member("instruction_set", r.limits.instruction_set);
  json.member("prefill_spread", r.prefill_spread).member("decode_spread", r.decode_spread);
  json.member("prompt_tokens", options.prompt_tokens).member("tokens", options.tokens);
  json.member("batch", options.batch).member("repeat", options.repeat).member("threads", r.limits.threads);
  json.member("compute", compute);
}

/// Compares with a file of --save; prints a line per figure on stderr. The worst of them is the verdict.
Regression compare(Console& console, const std::string& path, const BenchOptions& options, const BenchResult& now) {
  const JsonDocument document = JsonDocument::read(path);
  const Json then = document.root();
  const auto same = [&](std::string_view key, int64_t value) {
    if (then.at(key).as_int() != value)
      then.at(key).fail("the runs cannot be compared: " + std::string(key) + " was another",
                        "run with --" + std::string(key) + " " + std::to_string(then.at(key).as_int()));
  };
  same("prompt_tokens", options.prompt_tokens);
  same("tokens", options.tokens);
  same("batch", options.batch);
  same("threads", now.limits.threads);
  Regression worst = Regression::none;
  for (const Figure& figure : figures(now)) {
    if (figure.value == 0) continue;  // an encoder decodes nothing
    const double before = then.at(figure.key).as_double();
    const double change = figure.value / before - 1;
    const std::string spread_key = std::string(figure.key).substr(0, std::string(figure.key).find('_')) + "_spread";
    const std::optional<Json> spread = then.find(spread_key);
    const Regression judged =
        judge(figure.more_is_better ? -change : change, std::max(figure.spread, spread ? spread->as_double() : 0.0));
    worst = std::max(worst, judged);
    char line[160];
    std::snprintf(line, sizeof line, "%s: %.4g, was %.4g (%+.1f%%): regression %s", figure.key, figure.value, before,
                  100 * change, std::string(name(judged)).c_str());
    console.note(line);
  }
  return worst;
}

std::string text_of(const BenchOptions& options, const BenchResult& r, const std::string& compute) {
  char text[1024], decode[256] = "";
  if (r.decode_tokens_per_s > 0)
    std::snprintf(
        decode, sizeof decode,
        "decode   %10.1f tokens/s  %5.1f%% of the read bandwidth of %.1f GB/s, %.2f MB a token   (%lld tokens)\n",
        r.decode_tokens_per_s, 100 * r.bandwidth_fraction, r.limits.read_gb_per_s, r.bytes_per_token / 1e6,
        static_cast<long long>(options.tokens));
  std::snprintf(text, sizeof text,
                "%s  %10.1f tokens/s  %5.1f%% of the %s peak of %.0f Gop/s   (%lld tokens × %lld)\n"
                "%s"
                "load     %10.1f ms\n"
                "memory   %10.1f MB resident, %.1f MB at most\n"
                "compute  %s, %d threads\n",
                decode[0] != 0 ? "prefill" : "forward", r.prefill_tokens_per_s, 100 * r.peak_fraction,
                r.peak_instruction.c_str(),
                r.peak_instruction == "int8"   ? r.limits.peak_int8_gops
                : r.peak_instruction == "bf16" ? r.limits.peak_bf16_gflops
                                               : r.limits.peak_f32_gflops,
                static_cast<long long>(options.prompt_tokens), static_cast<long long>(options.batch), decode, r.load_ms,
                r.rss_mb, r.peak_rss_mb, compute.c_str(), r.limits.threads);
  return text;
}

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
