#include "cli/texts.h"
#include "core/error.h"
#include "tasks/rewrite_text.h"

namespace braid::cli {

int translate(Session& session) {
  Common common;
  std::string model, from, to;
  Texts given;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "an encoder-decoder that translates");
  flags.text("--from", from, "LANGUAGE: as the model's tasks name it (en)");
  flags.text("--to", to, "LANGUAGE: as the model's tasks name it (de)");
  add_text_flags(flags, given, "a text to translate");
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;
  if (from.empty() || to.empty()) throw UsageError("--from and --to are needed");
  return rewrite_all(session, common, {.model = model, .task = translation_task(from, to), .texts = read_texts(given)});
}

}  // namespace braid::cli
