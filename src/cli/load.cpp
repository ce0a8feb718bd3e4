#include "cli/load.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <vector>

namespace braid::cli {
namespace {

std::string quantity(double x) {
  const char* units[] = {"", "k", "M", "G", "T"};
  size_t unit = 0;
  for (; x >= 1000 && unit + 1 < std::size(units); ++unit) x /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, x < 10 && unit > 0 ? "%.2f %s" : "%.0f %s", x, units[unit]);
  return text;
}

std::string receipt_text(const Receipt& receipt) {
  std::string text = receipt.device + ", steps of " + receipt.size_class + " tokens: " + receipt.compute + "\n";
  for (const ReceiptLine& line : receipt.lines) {
    text += "  " + line.node + "  " + line.kernel + "  " + line.formats;
    if (!line.order.empty()) text += "  [" + line.order + "]";
    text += "  " + quantity(line.cost.flops) + "op " + quantity(line.cost.bytes) + "B";
    if (line.slow) text += "  slow fallback";
    text += "  # " + line.origin + "\n";
    for (const auto& [kernel, reason] : line.rejected) text += "      not " + kernel + ": " + reason + "\n";
  }
  return text;
}

}  // namespace

LoadOptions load_options(const Common& common, const std::string& model) {
  if (common.vram && (common.device == "auto" || common.device == "cpu"))
    throw UsageError("the CPU has no memory of its own to limit", {.file = {}, .field = "--vram", .offset = {}},
                     "use --memory");
  LoadOptions options;
  options.model = model;
  options.device = common.device;
  options.threads = static_cast<int>(common.threads);
  options.isa = common.isa;
  options.rewrite = common.rewrite;
  options.random_seed = common.random_weights;
  options.context = common.context.value_or(0);
  options.memory = common.memory;
  options.strict = common.strict;
  return options;
}

LoadedModel load(Session& session, const Common& common, const LoadOptions& options) {
  session.interrupt.end_at_once(true);  // nothing is half written while a model loads
  LoadedModel model = [&] {
    const Waiting waiting(session.console, "loading " + options.model);
    return load_model(options);
  }();
  session.interrupt.end_at_once(false);
  for (const std::string& note : model.notes) session.console.note(note);
  if (common.verbose) {
    char text[64];
    std::snprintf(text, sizeof text, "loaded in %.1f ms", model.load_ms);
    session.console.note(model.place.folder + ": " + model.program->model().architecture + ", " + text);
  }
  return model;
}

void report(Session& session, const Common& common, const Program& program) {
  std::set<std::string> slow;
  for (const Receipt& receipt : program.receipts()) {
    if (common.receipt) session.console.print_aside(receipt_text(receipt));
    for (const ReceiptLine& line : receipt.lines) {
      const std::string what = line.kernel + " (" + line.formats + ")";
      if (line.slow && slow.insert(what).second)
        session.console.note("slow fallback: " + what + "; --receipt says why, --strict makes it an error");
    }
  }
}

std::string compute(const Program& program) {
  std::string text;
  std::set<std::string> seen;
  for (const Receipt& receipt : program.receipts())
    if (seen.insert(receipt.compute).second) text += (text.empty() ? "" : "; ") + receipt.compute;
  return text;
}

}  // namespace braid::cli
