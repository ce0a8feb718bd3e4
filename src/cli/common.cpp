#include "cli/common.h"

#include <vector>

#include "cli/nearest.h"
#include "core/error.h"
#include "formats/formats.h"
#include "rewrite/rule.h"

namespace braid::cli {
namespace {

Format format_of(const std::string& text) {
  const std::optional<Format> format = format_from_name(text);
  std::vector<std::string_view> known;
  std::string list;
  for (int i = 0; i < kFormats; ++i) {
    const FormatOps& ops = format_ops(static_cast<Format>(i));
    if (!ops.weight_class || ops.encode == nullptr) continue;
    known.push_back(info(ops.format).name);
    list += (list.empty() ? "formats: " : ", ") + std::string(known.back());
    if (format == ops.format) return ops.format;
  }
  const Place place{.file = {}, .field = "--weights", .offset = {}};
  if (format) throw UsageError("weights are not converted to " + text, place, list);
  throw UsageError("unknown number format \"" + text + "\"", place, did_you_mean(text, known, list));
}

std::string rule_of(const std::string& text) {
  std::vector<std::string_view> known;
  std::string list;
  for (const Rule* rule : rules()) {
    if (rule->name == text) return text;
    known.push_back(rule->name);
    list += (list.empty() ? "rules: " : ", ") + std::string(rule->name);
  }
  throw UsageError("unknown rule \"" + text + "\"", {.file = {}, .field = "--no-rule", .offset = {}},
                   did_you_mean(text, known, list));
}

}  // namespace

void add_output_flags(Flags& flags, Common& common) {
  flags.heading("common flags");
  flags.on_off("--json", common.json, "print one JSON object on stdout and nothing else there");
  flags.on_off("--verbose", common.verbose, "say more on stderr");
}

void add_common_flags(Flags& flags, Common& common, bool exact) {
  common.rewrite.exact = exact;
  add_output_flags(flags, common);
  flags.text("--device", common.device,
             "DEVICE: auto, cpu, oracle (slow and plain), or null (computes nothing: what the engine costs)");
  flags.integer("--threads", common.threads, "N: threads of a step (one per core)", {.least = 1, .most = 4096});
  flags.text("--isa", common.isa, "NAME: an instruction set of the CPU (doctor lists them) in place of the best");
  flags.value(
      "--weights", [&](const std::string& text) { common.rewrite.weights = format_of(text); },
      "FORMAT: convert the weights of products at load: f32, bf16, f16, q8_0, q6_k, q5_k, q4_k, q4_0 …");
  flags.value(
      "-O,--optimize",
      [&, exact](const std::string& text) {
        common.rewrite.level = level_from_name(text);
        if (exact && common.rewrite.level >= 2) common.rewrite.exact = false;
      },
      "LEVEL: -O0 … -O3, or none, conservative, balanced, aggressive (2)");
  flags.on_off("--exact", common.rewrite.exact,
               exact ? "fp32 activations and cache at any level (the default here, unless -O2 or -O3 is given)"
                     : "fp32 activations and cache at any level");
  flags.value(
      "--no-rule", [&](const std::string& text) { common.rewrite.disabled_rules.insert(rule_of(text)); },
      "NAME: leave a fusion rule out (may be repeated)");
  if (!common.own_context)
    flags.integer("--context", common.context, "N: longest sequence, in tokens", {.least = 1, .most = 1 << 30});
  flags.size("--memory", common.memory, "SIZE: refuse to run in more memory (4G)");
  flags.size("--vram", common.vram, "SIZE: the same for the memory of a GPU");
  flags.value(
      "--random-weights",
      [&](const std::string& text) {
        common.random_weights = static_cast<uint64_t>(parse_integer("--random-weights", text, {.least = 0}));
      },
      "SEED: random numbers in place of weights; MODEL is then a config.json or its folder");
  flags.on_off("--strict", common.strict, "a slow fallback is an error");
  flags.on_off("--receipt", common.receipt, "print what ran where, in which formats, and why (on stderr)");
}

}  // namespace braid::cli
