#include "cli/command.h"
#include "cli/common.h"
#include "core/error.h"
#include "core/json.h"
#include "files/hub.h"

namespace braid::cli {
namespace {

std::string megabytes(uint64_t bytes) {
  return std::to_string(bytes / 1'000'000) + "." + std::to_string(bytes / 100'000 % 10) + " MB";
}

}  // namespace

int pull(Session& session) {
  Common common;
  std::string name, revision = "main";
  Flags flags = session.flags();
  flags.positional("NAME", name, "\"organisation/name\" on the hub (HF_ENDPOINT, HF_TOKEN, HF_HOME are honoured)");
  flags.text("--revision", revision, "REVISION: branch, tag or commit (main)");
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;

  Progress progress(session.console, name);
  bool stopped = false;
  PullResult result;
  try {
    result = pull_model(
        name, HubOptions::of_system(),
        [&](const PullProgress& p) {
          progress.update(p.file_done, p.file_total,
                          std::to_string(p.index + 1) + "/" + std::to_string(p.files) + " " + std::string(p.file) +
                              " " + megabytes(p.file_done));
          stopped = session.interrupt.requested();
          return !stopped;
        },
        revision);
  } catch (const Error&) {
    if (!stopped) throw;
    progress.clear();
    session.console.note("stopped; what was downloaded is kept, and the next pull goes on from there");
    return kInterrupted;
  }
  progress.clear();
  if (!common.json) {
    if (common.verbose)
      session.console.note(std::to_string(result.files.size()) + " files, " + megabytes(result.downloaded) +
                           " downloaded, revision " + result.revision);
    session.console.print(result.folder + "\n");
    return 0;
  }
  JsonWriter json;
  json.begin_object().key("models").begin_array().begin_object();
  json.member("name", name).member("folder", result.folder).member("revision", result.revision);
  json.member("downloaded", result.downloaded).key("files").begin_array();
  for (const std::string& file : result.files) json.value(file);
  json.end_array().end_object().end_array().end_object();
  session.console.print(json.text() + "\n");
  return 0;
}

}  // namespace braid::cli
