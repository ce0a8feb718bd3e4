#include "cli/texts.h"
#include "tasks/rewrite_text.h"

namespace braid::cli {

int summarise(Session& session) {
  Common common;
  std::string model;
  Texts given;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "an encoder-decoder that summarises");
  add_text_flags(flags, given, "a text to summarise");
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;
  return rewrite_all(session, common,
                     {.model = model, .task = std::string(kSummarization), .texts = read_texts(given)});
}

}  // namespace braid::cli
