#include "cli/command.h"
#include "cli/common.h"
#include "core/error.h"
#include "core/json.h"
#include "export/gguf.h"

namespace braid::cli {

int export_model(Session& session) {
  Common common;
  std::string model, format, output;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a model; its --weights are those of the file");
  flags.text("--format", format, "gguf");
  flags.text("--output", output, "FILE: what to write");
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;
  if (format != "gguf")
    throw UsageError(format.empty() ? "--format is needed" : "unknown format \"" + format + "\"",
                     {.file = {}, .field = "--format", .offset = {}}, "give gguf");
  if (output.empty()) throw UsageError("--output is needed");

  Progress progress(session.console, "writing " + output);
  const Exported result = export_gguf({.model = model,
                                       .output = output,
                                       .weights = common.rewrite.weights,
                                       .progress = [&](uint64_t done, uint64_t total) {
                                         progress.update(done, total);
                                         return !session.interrupt.requested();
                                       }});
  progress.clear();
  for (const std::string& note : result.notes) session.console.note(note);
  if (common.json)
    session.console.print(JsonWriter()
                              .begin_object()
                              .member("output", output)
                              .member("bytes", result.bytes)
                              .member("tensors", result.tensors)
                              .end_object()
                              .text() +
                          "\n");
  else
    session.console.print(output + ": " + std::to_string(result.tensors) + " tensors, " + std::to_string(result.bytes) +
                          " bytes\n");
  return 0;
}

}  // namespace braid::cli
