#include <algorithm>

#include "cli/command.h"
#include "cli/common.h"
#include "core/json.h"
#include "files/model_folder.h"

namespace braid::cli {

int list(Session& session) {
  Common common;
  Flags flags = session.flags();
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;

  const std::vector<LocalModel> models = local_models();
  if (common.json) {
    JsonWriter json;
    json.begin_object().key("models").begin_array();
    for (const LocalModel& m : models) {
      json.begin_object().member("name", m.name).member("folder", m.folder).member("revision", m.revision);
      json.member("bytes", m.bytes).end_object();
    }
    session.console.print(json.end_array().end_object().text() + "\n");
    return 0;
  }
  size_t width = 0;
  for (const LocalModel& m : models) width = std::max(width, m.name.size() + 2);
  for (const LocalModel& m : models)
    session.console.print(m.name + std::string(width - m.name.size(), ' ') + std::to_string(m.bytes / 1'000'000) +
                          " MB  " + m.folder + "\n");
  if (models.empty()) session.console.note("no models on this machine; braid pull NAME fetches one");
  return 0;
}

}  // namespace braid::cli
