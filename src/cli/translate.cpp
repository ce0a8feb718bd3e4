#include "cli/rewriting.h"
#include "core/error.h"
#include "tasks/rewrite_text.h"

namespace braid::cli {

int translate(Session& session) {
  Rewriting what;
  std::string from, to;
  Flags flags = session.flags();
  flags.text("--from", from, "LANGUAGE: as the model's tasks name it (en)");
  flags.text("--to", to, "LANGUAGE: as the model's tasks name it (de)");
  add_rewriting_flags(flags, what, "an encoder-decoder that translates", "a text to translate");
  if (!session.parse(flags)) return 0;
  if (from.empty() || to.empty()) throw UsageError("--from and --to are needed");
  return rewrite_all(session, what, translation_task(from, to));
}

}  // namespace braid::cli
