#include "cli/bench_report.h"

#include <algorithm>
#include <cstdio>
#include <optional>

namespace braid::cli {
namespace {

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

}  // namespace

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

}  // namespace braid::cli
